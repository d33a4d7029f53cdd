"""Contrast: every channel drawn towards its mean."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["Contrast", "contrast"]


def contrast(images: Tensor, factor: float) -> Tensor:
    """Multiply the distance from each channel's mean by a factor; images are float32 N×C×H×W."""
    # summed in float64: there sums of 8-bit pixels are exact, so they do not depend on the order of summing
    means = images.sum((2, 3), keepdim=True, dtype=torch.float64) / (images.shape[2] * images.shape[3])
    return torch.add((means * (1 - factor)).float(), images, alpha=factor)


class Contrast(Corruption[Draws]):
    """Lower contrast, about each channel's mean (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the share of contrast that is left.

    Example:
        >>> Contrast().change(torch.tensor([[[[0.0, 1.0]]]]), Draws(), (0.5,)).tolist()
        [[[[0.25, 0.75]]]]
    """

    name = "contrast"
    levels: ClassVar = {
        "imagenet": ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
        "tiny": ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
        "cifar": ((0.75,), (0.5,), (0.4,), (0.3,), (0.15,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Lower the contrast."""
        return contrast(images, level[0])
