"""Speckle noise: Gaussian noise in proportion to the pixel."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import normal
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["SpeckleNoise", "SpeckleNoiseDraws", "speckle_noise"]


@dataclass(frozen=True)
class SpeckleNoiseDraws(Draws):
    """Noise for a batch of N images.

    Args:
        noise: Standard normal, float32 N×C×H×W.
    """

    noise: Tensor


def speckle_noise(images: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Multiply by one plus noise of standard deviation sigma; both tensors are N×C×H×W."""
    return torch.addcmul(images, images, noise, value=sigma)


class SpeckleNoise(Corruption[SpeckleNoiseDraws]):
    """Gaussian noise in proportion to the pixel's value, so black stays black (Hendrycks and Dietterich 2019, extra).

    A level is the standard deviation as a share of the pixel's value, whatever the image's size.

    Example:
        >>> draws = SpeckleNoiseDraws(torch.tensor([1.0, 1.0, -1.0]).view(1, 1, 1, 3))
        >>> SpeckleNoise().change(torch.tensor([0.0, 0.5, 0.5]).view(1, 1, 1, 3), draws, (0.5,)).flatten()
        tensor([0.0000, 0.7500, 0.2500])
    """

    name = "speckle_noise"
    levels: ClassVar = {
        "imagenet": ((0.15,), (0.2,), (0.35,), (0.45,), (0.6,)),
        "tiny": ((0.15,), (0.2,), (0.25,), (0.3,), (0.35,)),
        "cifar": ((0.06,), (0.1,), (0.12,), (0.16,), (0.2,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> SpeckleNoiseDraws:
        """Draw one standard normal number for every value."""
        return SpeckleNoiseDraws(normal(seeds, shape[1:]))

    def change(self, images: Tensor, draws: SpeckleNoiseDraws, level: Level) -> Tensor:
        """Multiply the noise in."""
        return speckle_noise(images, draws.noise, level[0])
