"""FGSM: one step along the sign of the gradient."""

from dataclasses import dataclass

from torch import Tensor

from robustlit.attacks.base import BoundedAttack
from robustlit.attacks.problem import Problem

__all__ = ["FGSM"]


@dataclass(frozen=True)
class FGSM(BoundedAttack):
    """Fast gradient sign method: one step of steepest ascent of the loss (under L∞ eps times the gradient's sign).

    Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (2015). With ``random_start`` it is FGSM-RS,
    which trains where plain FGSM overfits: uniform in the ball, then a step of 1.25 eps, then back into the ball (Wong
    et al., "Fast is better than free: Revisiting adversarial training", 2020).

    Args:
        eps: Radius in units of the pixel range [0, 1].
        random_start: Whether to start from a random image of the ball.
        step_size: Length of the step; by default eps, and 1.25 eps with a random start.
        norm: "linf", "l2" or "l1".
        loss: See ``Attack``; likewise ``targeted`` and ``ignore_index``.

    Raises:
        ValueError: For an unknown norm or loss, or a length that looks like 8 instead of 8/255.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
        >>> images = torch.full((1, 3, 2, 2), 0.5)
        >>> changed = FGSM(eps=0.1)(model, images, torch.tensor([0]))
        >>> bool(torch.allclose((changed - images).abs(), torch.tensor(0.1)))
        True
    """

    random_start: bool = False
    step_size: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step_size is not None:
            self.check_length("step_size", self.step_size)

    def search(self, problem: Problem, images: Tensor, seeds: Tensor) -> Tensor:
        """Return the images after one step."""
        ball = self.ball(images)
        start = ball.random(seeds) if self.random_start or self.loss == "kl" else images
        usual = 1.25 * self.eps if self.random_start else self.eps
        gradient, _ = problem.gradient(start)
        length = usual if self.step_size is None else self.step_size
        return ball.clip(start + length * ball.direction(gradient, start))
