"""SmoothGrad: the gradient, averaged over noisy copies of the image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, sample_seeds
from robustlit.explanations.base import Look, Method
from robustlit.explanations.saliency import saliency

__all__ = ["SmoothGrad"]


@dataclass(frozen=True)
class SmoothGrad(Method):
    """Saliency of the mean gradient over noisy copies of an image, one forward and backward pass each.

    Smilkov, Thorat, Kim, Viégas and Wattenberg, "SmoothGrad", 2017, arXiv:1706.03825. The noise of an image is the same
    in any batch of the same order, and no global generator is read.

    Args:
        samples: Noisy copies, 1 or more.
        noise: Standard deviation as a share of the image's range (its largest minus its smallest value).
        seed: Of the noise.

    Raises:
        ValueError: If an option is out of range.
    """

    samples: int = 25
    noise: float = 0.15
    seed: int = 0

    name: ClassVar[str] = "smooth_grad"

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"expected 1 or more samples, got {self.samples}; try samples=25")
        if not self.noise >= 0:
            raise ValueError(f"expected noise of 0 or more, got {self.noise}; try noise=0.15")

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        images = look.images
        flat = images.flatten(1)
        spread = (self.noise * (flat.amax(1) - flat.amin(1)))[:, None, None, None]
        seeds = fold(sample_seeds(self.seed, torch.arange(len(images), device=images.device)), self.name)
        total = torch.zeros_like(images)
        for sample in range(self.samples):
            draws = normal(fold(seeds, sample), images.shape[1:])
            total += look.network.image_gradient(images + spread * draws, look.goal)
        return saliency(total / self.samples)
