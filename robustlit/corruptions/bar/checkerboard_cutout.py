"""``checkerboard_cutout``: squares of a rotated checkerboard go grey."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.bar.coordinates import coordinates
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["CheckerboardCutout", "CheckerboardCutoutDraws", "checkerboard_cutout"]

_GREY = 128 / 255
_MOST = 40  # squares along the grid: four shorter sides at the smallest square, a tenth of one


def checkerboard_cutout(
    images: Tensor, angle: Tensor, cell: Tensor, side: Tensor, numbers: Tensor, fraction: float
) -> Tensor:
    """Set chosen squares of one colour of a checkerboard to grey.

    The coordinates are float64, so that every device cuts the same pixels.

    Args:
        images: N×C×H×W in [0, 1].
        angle: N, in radians, about the corner (0, 0).
        cell: N, side of a square in pixels.
        side: N, int64: squares along the grid of ``numbers``, after which it repeats.
        numbers: N×40×40 in [0, 1), of which side×side are used.
        fraction: Squares whose number is below are cut.
    """
    rows, columns = coordinates(images, torch.float64)
    cosine, sine = angle.double().cos()[:, None, None], angle.double().sin()[:, None, None]
    cell = cell[:, None, None]
    down = (cosine * rows + sine * columns) / cell
    right = (cosine * columns - sine * rows) / cell
    one_colour = ((down.floor() + right.floor()) % 2) == 0
    # as published, squares are counted towards zero, so those across an axis share one
    period = side[:, None, None]
    index = (down.long() % period) * _MOST + right.long() % period
    cut = (numbers < fraction).flatten(1).gather(1, index.flatten(1)).view_as(index)
    return torch.where((cut & one_colour).unsqueeze(1), _GREY, images)


@dataclass(frozen=True)
class CheckerboardCutoutDraws(Draws):
    """The checkerboard.

    Args:
        angle: N, in radians.
        cell: N, in pixels.
        side: N, int64, squares along the grid.
        numbers: N×40×40 in [0, 1).
    """

    angle: Tensor
    cell: Tensor
    side: Tensor
    numbers: Tensor


class CheckerboardCutout(Corruption[CheckerboardCutoutDraws]):
    """Some squares of one colour of a rotated checkerboard are replaced by grey.

    Source: Mintun et al. 2021. A level is the source's own number, tenths of the squares of that colour. For sizes
    other than the published ones the squares scale with the shorter side.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.25), "checkerboard_cutout", 5).unique().mul(255)
        tensor([ 64., 128.])
    """

    name = "checkerboard_cutout"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {
        "imagenet": ((2.0,), (3.0,), (4.0,), (5.0,), (6.0,)),
        "cifar": ((1.0,), (2.0,), (3.0,), (4.0,), (5.0,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> CheckerboardCutoutDraws:
        """Draw the board and a number for every square."""
        board = uniform(fold(seeds, "board"), (2,))
        size = min(shape[-2:])
        cell = (size * (0.1 + 0.15 * board[:, 1])).clamp_min_(1)
        side = (4 * size / cell).long().clamp_max_(_MOST)
        return CheckerboardCutoutDraws(
            2 * math.pi * board[:, 0], cell, side, uniform(fold(seeds, "squares"), (_MOST, _MOST))
        )

    def change(self, images: Tensor, draws: CheckerboardCutoutDraws, level: Level) -> Tensor:
        """Cut."""
        return checkerboard_cutout(images, draws.angle, draws.cell, draws.side, draws.numbers, level[0] / 10)
