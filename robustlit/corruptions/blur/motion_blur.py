"""motion_blur: the camera moves along a straight line."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.motion import motion_blur

__all__ = ["MotionBlur", "MotionBlurDraws"]


@dataclass(frozen=True)
class MotionBlurDraws(Draws):
    """The direction of each image.

    Args:
        angles: Degrees, float of shape N, in [-45, 45).
    """

    angles: Tensor


class MotionBlur(Corruption[MotionBlurDraws]):
    """Motion blur in a random direction within 45 degrees of the horizontal, as ImageMagick makes it.

    Source: Hendrycks and Dietterich, ICLR 2019; a level is (radius, sigma), both in pixels. Neither grows with the
    image.

    Example:
        >>> MotionBlur().sample(torch.Size((4, 3, 32, 32)), torch.arange(4), (6, 1)).angles.shape
        torch.Size([4])
    """

    name = "motion_blur"
    levels: ClassVar = {
        "imagenet": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        "tiny": ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        "cifar": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> MotionBlurDraws:
        """Draw a direction for each image."""
        return MotionBlurDraws(uniform(seeds).mul_(90).sub_(45))

    def change(self, images: Tensor, draws: MotionBlurDraws, level: Level) -> Tensor:
        """Blur every image along its own direction."""
        return motion_blur(images, level[0], level[1], draws.angles)
