"""Brightness: more value in the colour model of hue, saturation and value."""

from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["Brightness", "brightness"]

_DARK = 1e-30  # black pixels count as this grey, which has no saturation either and can be multiplied


def brightness(images: Tensor, amount: float) -> Tensor:
    """Add to the value, the largest of a pixel's channels, up to 1, with hue and saturation as they are.

    Channels keep their ratios, so the detour over hue and saturation comes down to one factor a pixel.

    Args:
        images: float32 N×C×H×W in [0, 1]; one channel is its own value.
        amount: Added to the value, in units of the pixel range.

    Returns:
        float32 N×C×H×W.
    """
    images = images.clamp(min=_DARK)
    value = reduce(torch.maximum, torch.split(images, 1, dim=1))
    return images.mul_((value + amount).clamp_(max=1).div_(value))


class Brightness(Corruption[Draws]):
    """A brighter image (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is what is added to the value of HSV, in units of the pixel range.

    Example:
        >>> Brightness().change(torch.tensor([0.5, 0.25, 0.125]).view(1, 3, 1, 1), Draws(), (0.3,)).flatten()
        tensor([0.8000, 0.4000, 0.2000])
    """

    name = "brightness"
    levels: ClassVar = {
        "imagenet": ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),
        "tiny": ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),
        "cifar": ((0.05,), (0.1,), (0.15,), (0.2,), (0.3,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Brighten."""
        return brightness(images, level[0])
