"""PGD: steps along the gradient, each back into the ball."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from robustlit.attacks.base import BoundedAttack
from robustlit.attacks.losses import Aim
from robustlit.attacks.norms import NormBall
from robustlit.attacks.problem import Problem
from robustlit.attacks.schedules import SCHEDULES, Schedule
from robustlit.attacks.worst import Worst, worst_of
from robustlit.core.names import lookup
from robustlit.core.random import fold

__all__ = ["PGD"]


@dataclass(frozen=True)
class PGD(BoundedAttack):
    """Projected gradient descent: steps of steepest ascent of the loss, each followed by the way back into the ball.

    Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks" (2018). A plain run costs ``steps``
    forward and backward passes; ``best`` and restarts need one more forward pass each.

    Args:
        eps: Radius in units of the pixel range [0, 1].
        step_size: Length of a step in the norm; 2.5 eps / steps by default, the paper's rule (2/255 for 8/255 and 10).
        steps: Number of steps.
        norm: "linf", "l2" or "l1".
        random_start: True starts uniformly in the ball, "small" at the clean image with normal noise of 0.001
            (TRADES), False at the clean image. The loss "kl" has no gradient there, so False is an error with it.
        restarts: Number of starts; for every sample the worst end is kept. Starts differ only if they are random.
        best: Whether the worst iterate of every sample is kept instead of the last.
        schedule: Of the step size, for every sample: "constant", "linear", "cosine", "halving" (where the loss did not
            grow), or a function as in ``robustlit.attacks.schedules``.
        loss: See ``Attack``; likewise ``targeted`` and ``ignore_index``.

    Raises:
        ValueError: For an unknown name, a length that looks like 8 instead of 8/255, or a count below 1.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
        >>> images = torch.full((2, 3, 2, 2), 0.5)
        >>> changed = PGD(eps=0.5, norm="l2")(model, images, torch.tensor([0, 1]), seed=0)
        >>> bool(((changed - images).flatten(1).norm(dim=1) <= 0.5).all())
        True
    """

    step_size: float | None = None
    steps: int = 10
    random_start: bool | Literal["small"] = True
    restarts: int = 1
    best: bool = False
    schedule: str | Schedule = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step_size is not None:
            self.check_length("step_size", self.step_size)
        for name, count in (("steps", self.steps), ("restarts", self.restarts)):
            if count < 1:
                raise ValueError(f"expected {name} of at least 1, got {count}; try {name}=1")
        if isinstance(self.schedule, str):
            lookup("step schedule", self.schedule, SCHEDULES)
        if self.random_start not in (True, False, "small"):
            raise ValueError(f"expected random_start True, False or 'small', got {self.random_start!r}; try True")
        if self.loss == "kl" and not self.random_start:
            raise ValueError("expected a random start with the loss 'kl', got none; try random_start='small'")

    def search(self, problem: Problem, images: Tensor, seeds: Tensor) -> Tensor:
        """Return the last images, or the worst where several are compared."""
        if self.restarts == 1 and not self.best:
            ball = self.ball(images)
            return self._climb(problem, ball, self._start(ball, seeds), None)

        def run(number: int, chosen: Tensor, problem: Problem) -> Worst:
            ball = self.ball(images[chosen])
            start = self._start(ball, fold(seeds[chosen], "restart", number))
            worst = Worst(problem, start)
            last = self._climb(problem, ball, start, worst if self.best else None)
            worst.offer(last, problem.look(last))
            return worst

        return worst_of(problem, images, self.restarts, run)

    def usual_step(self) -> float:
        """Return the length of a step where none was given."""
        return 2.5 * self.eps / self.steps

    def weigh(self, logits: Tensor, aim: Aim, step: int) -> Tensor:
        """Return the weights N×P of the elements' losses at a step, from logits N×K×P."""
        return torch.ones_like(logits[:, 0])

    def accumulate(self, gradient: Tensor, before: Tensor | None) -> Tensor:
        """Return what a step follows, from this step's gradient and what the step before followed."""
        return gradient

    def _start(self, ball: NormBall, seeds: Tensor) -> Tensor:
        if self.random_start == "small":
            return ball.small(seeds)
        return ball.random(seeds) if self.random_start else ball.images

    def _climb(self, problem: Problem, ball: NormBall, images: Tensor, worst: Worst | None) -> Tensor:
        schedule = SCHEDULES[self.schedule] if isinstance(self.schedule, str) else self.schedule
        length = self.usual_step() if self.step_size is None else self.step_size
        weighted = type(self).weigh is not PGD.weigh
        followed: Tensor | None = None
        losses: list[Tensor] = []
        for step in range(self.steps):
            gradient, look = problem.gradient(images, partial(self.weigh, step=step) if weighted else None)
            if worst is not None:
                worst.offer(images, look)
            losses.append(look.losses)
            followed = self.accumulate(gradient, followed)
            move = ball.direction(followed, images)
            if schedule is not SCHEDULES["constant"]:
                move = move * schedule(step, self.steps, losses)[:, None, None, None].to(move.dtype)
            images = ball.clip(images + length * move)
        return images
