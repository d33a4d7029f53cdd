"""Circular motion blur: the mean of rotations about the centre (CIFAR-10-C-bar)."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.spline import coefficients, cubic_sample

__all__ = ["CircularMotionBlur", "circular_motion_blur"]

_TURNS = 21
_SMALL = 1 << 16  # pixels: up to here places are kept, 55 MB for five angles; on CPU larger images go in strips of this


class CircularMotionBlur(Corruption[Draws]):
    """The weighted mean of 21 rotations about the centre, from -angle to +angle; beyond the image is black.

    Level: angle in degrees. Nothing is drawn. Source: Mintun, Kirillov and Xie 2021, "On Interaction Between
    Augmentations and Corruptions in Natural Corruption Robustness".
    """

    name = "circular_motion_blur"
    levels: ClassVar = {"cifar": ((4.2,), (5.4,), (6.6,), (7.8,), (9.0,))}

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Blur the images."""
        return circular_motion_blur(images, level[0])


def circular_motion_blur(images: Tensor, angle: float) -> Tensor:
    """Blur images along circles about their centre.

    Args:
        images: Float N×C×H×W.
        angle: Of the outermost rotations, in degrees; a rotation by u·angle weighs exp(-2u²).

    Returns:
        Float N×C×H×W.
    """
    height, width = images.shape[-2:]
    small = height * width <= _SMALL
    rotated = _kept_rotated if small else _rotated
    strip = height if small or images.device.type != "cpu" else max(1, _SMALL // width)
    spline = coefficients(images)
    weights = [math.exp(-2 * _share(turn) ** 2) for turn in range(_TURNS)]
    result = torch.zeros_like(spline)
    for top in range(0, height, strip):
        rows = result[:, :, top : top + strip]
        for turn, weight in enumerate(weights):
            places = rotated(height, width, angle * _share(turn), top, rows.shape[2], images.device)
            rows.add_(cubic_sample(spline, *places), alpha=weight / sum(weights))
    return result


def _share(turn: int) -> float:
    """From -1 for the first rotation to 1 for the last."""
    return 2 * turn / (_TURNS - 1) - 1


def _rotated(
    height: int, width: int, degrees: float, top: int, count: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Row and column coordinates of a rotation about the centre, for ``count`` rows from ``top`` on, count×W.

    They are float64 until places at the edge are decided.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    down = torch.arange(top, top + count, dtype=torch.float64, device=device)[:, None] - (height - 1) / 2
    right = torch.arange(width, dtype=torch.float64, device=device) - (width - 1) / 2
    rows = cosine * down + sine * right + (height - 1) / 2
    columns = -sine * down + cosine * right + (width - 1) / 2
    return rows.float(), columns.float()


_kept_rotated = cached_tensors(5 * _TURNS)(_rotated)
