"""Adversarial logit pairing."""

from dataclasses import dataclass

from torch import Tensor

from robustlit.methods.base import Method
from robustlit.methods.scene import Scene

__all__ = ["LogitPairing"]


@dataclass(frozen=True)
class LogitPairing(Method):
    """Trains on clean and adversarial images in equal parts, and pulls the logits of each pair together.

    The loss is the mean of the module's own loss on the clean images and the adapter's loss on the adversarial ones,
    plus ``weight`` times the mean squared difference of their logits. Kannan, Kurakin and Goodfellow, "Adversarial
    Logit Pairing" (2018). It tends to hide gradients (Engstrom, Ilyas and Athalye, "Evaluating and Understanding the
    Robustness of Adversarial Logit Pairing", 2018): judge the result by AutoAttack.

    Args:
        weight: Of the squared difference; the paper's ImageNet models: 0.5.

    Raises:
        ValueError: If the weight is negative.

    Example:
        >>> LogitPairing(weight=0.5).sees
        'clean'
    """

    weight: float = 0.5

    sees = "clean"
    adds_loss = True

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"expected weight of at least 0, got {self.weight}; try weight=0.5")

    def term(self, scene: Scene) -> Tensor:
        """Return what turns the module's own loss into the paper's."""
        distance = (scene.rows("clean") - scene.rows("adversarial")).square().mean(1)
        mixed = scene.loss("adversarial") - (scene.loss("clean") if scene.own_loss is None else scene.own_loss)
        return mixed / 2 + self.weight * scene.mean(distance)
