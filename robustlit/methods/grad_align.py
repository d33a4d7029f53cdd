"""GradAlign: one-step adversarial training that keeps the loss straight around the clean image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.attacks import Attack, BoundedAttack
from robustlit.core.random import fold
from robustlit.methods.base import Method
from robustlit.methods.scene import Scene

__all__ = ["GradAlign", "cosine"]


def cosine(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cosine of every sample's two gradients, and which samples have one: both of shape N.

    Where a gradient is zero there is no angle; the cosine returned is 1 and nothing flows back.
    """
    first, second = first.flatten(1), second.flatten(1)
    defined = (first != 0).any(1) & (second != 0).any(1)
    first = torch.where(defined[:, None], first, 1.0)  # a length of zero would flow back as NaN
    second = torch.where(defined[:, None], second, 1.0)
    lengths: Tensor = torch.linalg.vector_norm(first, dim=1) * torch.linalg.vector_norm(second, dim=1)
    return torch.where(defined, (first * second).sum(1) / lengths, 1.0), defined


@dataclass(frozen=True)
class GradAlign(Method):
    """Adds ``weight`` times 1 - cos of the loss's gradients at the clean image and at a random image of the ball.

    Against catastrophic overfitting of FGSM training: Andriushchenko and Flammarion, "Understanding and Improving Fast
    Adversarial Training" (2020). Use it with ``FGSM()``. It costs two forward passes and a backward pass through
    gradients; that part runs without ``torch.compile``, which has no second derivatives.

    Args:
        weight: The paper's λ: 0.2 for eps 8/255 on CIFAR-10, more for a larger eps.

    Raises:
        ValueError: If the weight is negative.

    Example:
        >>> cosine(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]))[0]
        tensor([0.7071])
    """

    weight: float = 0.2

    sees = "adversarial"
    adds_loss = True

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"expected weight of at least 0, got {self.weight}; try weight=0.2")

    def prepare(self, attack: Attack) -> Attack:
        """Return the attack as it is.

        Raises:
            TypeError: If it has no ball to draw from.
        """
        if not isinstance(attack, BoundedAttack):
            raise TypeError(f"expected an attack with an eps for GradAlign, got {type(attack).__name__}; try FGSM()")
        return attack

    def term(self, scene: Scene) -> Tensor:
        """Return the weighted misalignment, averaged over the samples that have gradients."""
        ball = scene.attack.ball(scene.clean)  # type: ignore[attr-defined]  # see prepare
        with torch.compiler.set_stance("force_eager"):
            at_clean = _slope(scene, scene.clean)
            nearby = _slope(scene, ball.random(fold(scene.seeds, "grad_align")))
        similar, defined = cosine(at_clean, nearby)
        return self.weight * ((1 - similar).sum() / defined.sum().clamp(min=1))


def _slope(scene: Scene, images: Tensor) -> Tensor:
    """Return the gradient of every sample's loss, N×C×H×W, which can be differentiated again."""
    images = images.detach().requires_grad_()
    losses = scene.adapter.per_sample_loss(scene.model(images), scene.targets)
    (gradient,) = torch.autograd.grad(losses.sum(), images, create_graph=True)
    return gradient
