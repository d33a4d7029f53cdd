"""TRADES: the clean loss, and predictions that do not move under attack."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor
from torch.nn import functional as F

from robustlit.attacks import PGD, Attack
from robustlit.methods.base import Method
from robustlit.methods.scene import Scene

__all__ = ["TRADES", "divergence"]


def divergence(clean: Tensor, adversarial: Tensor) -> Tensor:
    """Return KL(clean ‖ adversarial) of logits N×K×P, of shape N×P."""
    if clean.shape[2] == 1:  # the same kernel, so the same bits, as a training loop's own N×K call
        return _divergence(clean[..., 0], adversarial[..., 0])[:, None]
    return _divergence(clean, adversarial)


def _divergence(clean: Tensor, adversarial: Tensor) -> Tensor:
    share = F.kl_div(adversarial.log_softmax(1), clean.log_softmax(1), reduction="none", log_target=True)
    return share.sum(1)


@dataclass(frozen=True)
class TRADES(Method):
    """Adds ``beta`` times KL(clean ‖ adversarial) to the module's loss on the clean images.

    Zhang et al., "Theoretically Principled Trade-off between Robustness and Accuracy" (2019). The attack makes the same
    divergence large, so its ``loss`` becomes "kl" and its start the paper's. It compares with the clean prediction in
    its own mode of the network (eval by default), as the paper's code does, but computes that once: a step with K
    steps of attack costs 1 + K + 2 forward passes.

    Args:
        beta: Weight of the divergence; the paper: 6 (and 1).
        random_start: Start of PGD: "small" is the paper's (normal noise of 0.001), True is uniform in the ball, None
            leaves what the attack says.

    Raises:
        ValueError: If beta is negative.

    Example:
        >>> TRADES(beta=6).prepare(PGD(steps=10)).loss
        'kl'
    """

    beta: float = 6.0
    random_start: bool | Literal["small"] | None = "small"

    sees = "clean"
    adds_loss = True

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"expected beta of at least 0, got {self.beta}; try beta=6")

    def prepare(self, attack: Attack) -> Attack:
        """Return the attack on the divergence."""
        changes: dict[str, Any] = {"loss": "kl"}
        if isinstance(attack, PGD) and self.random_start is not None:
            changes["random_start"] = self.random_start
        return replace(attack, **changes)

    def term(self, scene: Scene) -> Tensor:
        """Return the weighted divergence, averaged over what counts."""
        return self.beta * scene.mean(divergence(scene.rows("clean"), scene.rows("adversarial")))
