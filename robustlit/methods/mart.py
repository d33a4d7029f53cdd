"""MART: adversarial training that pays most attention to what the clean prediction gets wrong."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.methods.base import Method
from robustlit.methods.scene import Scene
from robustlit.methods.trades import divergence

__all__ = ["MART"]

_ROOM = 1.0001  # keeps the logarithm of 1 - p finite, as the paper's code does


@dataclass(frozen=True)
class MART(Method):
    """Adds to the module's loss on the adversarial images a margin, and a divergence weighted by clean mistakes.

    With p the probabilities of the clean and q those of the adversarial image, and y the label, the terms are
    -log(1.0001 - max over k ≠ y of q_k), which completes the paper's boosted cross entropy, and
    ``beta`` · KL(p ‖ q) · (1 - p_y). Wang et al., "Improving Adversarial Robustness Requires Revisiting Misclassified
    Examples" (2020). It costs one forward pass more than plain adversarial training.

    Args:
        beta: Weight of the divergence, the paper's λ: 5.

    Raises:
        ValueError: If beta is negative.

    Example:
        >>> MART(beta=5).sees, MART().adds_loss
        ('adversarial', True)
    """

    beta: float = 5.0

    sees = "adversarial"
    adds_loss = True

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"expected beta of at least 0, got {self.beta}; try beta=5")

    def term(self, scene: Scene) -> Tensor:
        """Return the margin and the weighted divergence, averaged over what counts."""
        clean, adversarial = scene.rows("clean"), scene.rows("adversarial")
        labels = scene.aim.labels[:, None]
        wrong = adversarial.softmax(1).scatter(1, labels, -torch.inf).amax(1)
        margin = -(_ROOM - wrong).log()
        mistaken = 1 - clean.softmax(1).gather(1, labels)[:, 0]
        return scene.mean(margin + self.beta * divergence(clean, adversarial) * mistaken)
