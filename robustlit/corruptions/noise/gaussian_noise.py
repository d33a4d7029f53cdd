"""Gaussian noise: the same standard deviation everywhere."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import normal
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["GaussianNoise", "GaussianNoiseDraws", "gaussian_noise"]


@dataclass(frozen=True)
class GaussianNoiseDraws(Draws):
    """Noise for a batch of N images.

    Args:
        noise: Standard normal, float32 N×C×H×W.
    """

    noise: Tensor


def gaussian_noise(images: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Add noise of standard deviation sigma, in units of the pixel range; both tensors are N×C×H×W."""
    return torch.add(images, noise, alpha=sigma)


class GaussianNoise(Corruption[GaussianNoiseDraws]):
    """Gaussian noise, independent for every pixel and channel (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the standard deviation, in units of the pixel range [0, 1], whatever the image's size.

    Example:
        >>> GaussianNoise().level("imagenet", 2.5)
        (0.15,)
    """

    name = "gaussian_noise"
    levels: ClassVar = {
        "imagenet": ((0.08,), (0.12,), (0.18,), (0.26,), (0.38,)),
        "tiny": ((0.04,), (0.08,), (0.12,), (0.15,), (0.18,)),
        "cifar": ((0.04,), (0.06,), (0.08,), (0.09,), (0.10,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> GaussianNoiseDraws:
        """Draw one standard normal number for every value."""
        return GaussianNoiseDraws(normal(seeds, shape[1:]))

    def change(self, images: Tensor, draws: GaussianNoiseDraws, level: Level) -> Tensor:
        """Add the noise."""
        return gaussian_noise(images, draws.noise, level[0])
