"""MI-FGSM: gradient steps with momentum."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from robustlit.attacks.pgd import PGD

__all__ = ["MIFGSM"]


@dataclass(frozen=True)
class MIFGSM(PGD):
    """Momentum iterative FGSM: steps along a decaying sum of gradients, each divided by its absolute sum.

    Dong et al., "Boosting Adversarial Attacks with Momentum" (2018). Its images carry over to other models more often
    than those of PGD. The paper starts at the clean image and takes steps of eps / steps.

    Args:
        eps: Radius in units of the pixel range [0, 1].
        step_size: Length of a step; eps / steps by default.
        steps: Number of steps.
        decay: Factor of the sum so far at every step, the paper's μ; 0 forgets.
        random_start: See ``PGD``; likewise ``norm``, ``restarts``, ``best``, ``schedule``, ``loss``, ``targeted`` and
            ``ignore_index``.

    Raises:
        ValueError: As ``PGD``, and for a negative decay.

    Example:
        >>> MIFGSM(eps=8 / 255, steps=8).usual_step() == 1 / 255
        True
    """

    random_start: bool | Literal["small"] = False
    decay: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decay < 0:
            raise ValueError(f"expected decay of at least 0, got {self.decay}; try 1.0")

    def usual_step(self) -> float:
        """Return the length of a step where none was given."""
        return self.eps / self.steps

    def accumulate(self, gradient: Tensor, before: Tensor | None) -> Tensor:
        """Return the decayed sum with this gradient, whose absolute values are made to sum to one."""
        size = gradient.abs().sum((1, 2, 3), keepdim=True)
        scaled = gradient / size.clamp(min=1e-30)
        return scaled if before is None else self.decay * before + scaled
