"""``lines``: thin grey lines across the image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.bar.coordinates import to_pixels
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.pixels import truncate

__all__ = ["Lines", "LinesDraws", "lines"]

_GREY = 128 / 255


def lines(images: Tensor, points: Tensor, angles: Tensor, half_length: float) -> Tensor:
    """Draw anti-aliased grey lines, one over another; what a line touches is truncated to 8 bits, as published.

    Args:
        images: N×C×H×W in [0, 1].
        points: N×K×2, row and column in pixels, in the middle of each line.
        angles: N×K in radians, from the direction of the rows towards that of the columns.
        half_length: Of the lines, in pixels.
    """
    height, width = images.shape[-2:]
    reach = half_length * torch.stack((angles.double().cos(), angles.double().sin()), dim=-1)
    starts, ends = (points - reach).long(), (points + reach).long()  # towards zero, as published
    pixels, shares = _trace(starts, ends, height, width, 2 * math.ceil(half_length) + 2)
    # one pixel more than the image has, to which go the writes of what is not drawn
    canvas = torch.cat((images.flatten(2), images.new_zeros(*images.shape[:2], 1)), dim=2)
    for pixel, share in zip(pixels.unbind(1), shares.to(images.dtype).unbind(1), strict=True):
        index = pixel[:, None].expand(-1, images.shape[1], -1)
        below = canvas.gather(2, index)
        canvas.scatter_(2, index, truncate(below + share[:, None] * (_GREY - below)))
    return canvas[..., :-1].view_as(images)


def _trace(starts: Tensor, ends: Tensor, height: int, width: int, steps: int) -> tuple[Tensor, Tensor]:
    """Return the pixels that lines touch, as flat indices, and how much of each they cover, N×K×P.

    A line covers the pixels less than one pixel away from it, measured at right angles and inside the rectangle between
    its ends, by one minus that distance; these are the pixels that Zingl's anti-aliased line visits ("A Rasterizing
    Algorithm for Drawing Curves", 2012). There are at most four abreast. What is not drawn has the index height·width.
    """
    delta = ends - starts
    steep = delta[..., 0].abs() > delta[..., 1].abs()  # which axis the line is walked along
    order = torch.stack((~steep, steep), dim=-1).long()
    (along, across), (main, side) = (x.gather(-1, order).unbind(-1) for x in (delta, starts))
    walked = torch.arange(steps, device=starts.device)[:, None]
    along, across, main, side, steep = (x[..., None, None] for x in (along, across, main, side, steep))
    length = along.abs()
    offset = torch.div(walked * across, length, rounding_mode="floor") + torch.arange(-1, 3, device=starts.device)
    distance = (offset * length - walked * across).abs() / torch.hypot(along.double(), across.double())
    between = (offset >= across.clamp_max(0)) & (offset <= across.clamp_min(0)) & (walked <= length)
    forward, sideways = main + walked * along.sign(), side + offset
    row, column = torch.where(steep, forward, sideways), torch.where(steep, sideways, forward)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    drawn = between & inside & (distance < 1)
    return (row * width + column).where(drawn, height * width).flatten(2), (1 - distance).flatten(2)


@dataclass(frozen=True)
class LinesDraws(Draws):
    """The lines.

    Args:
        points: N×K×2, row and column in pixels.
        angles: N×K in radians.
    """

    points: Tensor
    angles: Tensor


class Lines(Corruption[LinesDraws]):
    """Thin grey lines through random points, in directions that lie more or less around one.

    Source: Mintun et al. 2021. A level is the source's own number; a tenth of it times the shorter side is the number
    of lines, rounded down (at 32 pixels 1, 3, 4, 6 and 8). A line is one pixel wide, and up to two shorter sides long.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "lines", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "lines"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {"cifar": ((0.5,), (1.0,), (1.5,), (2.0,), (2.5,))}

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> LinesDraws:
        """Draw the common direction, how far the lines stray from it, and each line."""
        height, width = shape[-2:]
        number = int(level[0] / 10 * min(height, width))
        common = uniform(fold(seeds, "direction"), (2,))
        each = uniform(fold(seeds, "lines"), (max(number, 1), 3))[:, :number]  # none in an image of 16 pixels
        spread = 0.1 + 0.9 * common[:, 1:]
        angles = 2 * math.pi * (common[:, :1] + spread * (each[..., 2] - 0.5))
        return LinesDraws(to_pixels(each[..., :2], height, width), angles)

    def change(self, images: Tensor, draws: LinesDraws, level: Level) -> Tensor:
        """Draw the lines."""
        return lines(images, draws.points, draws.angles, min(images.shape[-2:]))
