"""SegPGD: PGD for dense labels that turns from pixels still right to pixels already wrong."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.attacks.losses import Aim
from robustlit.attacks.pgd import PGD

__all__ = ["SegPGD"]


@dataclass(frozen=True)
class SegPGD(PGD):
    """PGD for segmentation: pixels still right weigh 1 - λ and pixels already wrong λ, with λ = t / 2T at step t of T.

    Gu et al., "SegPGD: An Effective and Efficient Adversarial Attack for Evaluating and Boosting Segmentation
    Robustness" (2022), equation 5; t counts from 0. The loss of an image is the sum over its valid pixels. With targets
    to reach, a pixel counts as right until it has reached its own.

    Args:
        eps: See ``PGD``; likewise everything else.

    Example:
        >>> attack = SegPGD(eps=8 / 255, steps=10)
        >>> logits = torch.tensor([[[2.0, 0.0], [0.0, 2.0]]])  # two pixels of class 0: right, wrong
        >>> aim = Aim(torch.tensor([[0, 0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> attack.weigh(logits, aim, step=4)
        tensor([[0.8000, 0.2000]])
    """

    def weigh(self, logits: Tensor, aim: Aim, step: int) -> Tensor:
        """Return the pixels' weights at a step."""
        share = step / (2 * self.steps)
        predicted = logits.argmax(1)
        wrong = predicted != aim.labels if aim.goals is None else predicted == aim.goals
        return torch.where(wrong, share, 1 - share).to(logits.dtype)
