"""gaussian_blur: one Gaussian over the whole image."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.gaussian import gaussian_blur

__all__ = ["GaussianBlur"]


class GaussianBlur(Corruption[Draws]):
    """Gaussian blur with the last pixel repeated beyond the edge; nothing is random.

    Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
    Perturbations", ICLR 2019, one of the four extra corruptions; a level is (sigma in pixels,). Sigma does not grow
    with the image.

    Example:
        >>> image = torch.full((1, 3, 32, 32), 0.5)
        >>> bool(torch.allclose(GaussianBlur().change(image, Draws(), (3.0,)), image))
        True
    """

    name = "gaussian_blur"
    continuous = True
    levels: ClassVar = {
        "imagenet": ((1.0,), (2.0,), (3.0,), (4.0,), (6.0,)),
        "tiny": ((0.5,), (0.75,), (1.0,), (1.25,), (1.5,)),
        "cifar": ((0.4,), (0.6,), (0.7,), (0.8,), (1.0,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Blur every channel by itself."""
        return gaussian_blur(images, level[0])
