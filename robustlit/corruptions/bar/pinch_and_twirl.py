"""Pinch and twirl: discs on a grid of tiles, pinched and twisted (CIFAR-10-C-bar)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.sampling import bilinear, nearest

__all__ = ["PinchAndTwirl", "PinchAndTwirlDraws", "pinch_and_twirl"]


@dataclass(frozen=True)
class PinchAndTwirlDraws(Draws):
    """Which way every tile is twisted.

    Args:
        signs: 1 or -1, float32 N×R×Q for R rows and Q columns of tiles.
    """

    signs: Tensor


class PinchAndTwirl(Corruption[PinchAndTwirlDraws]):
    """In every tile the inscribed disc is read at distance d·sin(π/2·d)^(-pinch), turned by ±twirl·(1-d)², d in 0…1.

    Level: twirl in radians, pinch. A tile's side is a fifth of the shorter side at 224 pixels and a third at any other
    size, rounded down, as in the source; tiles fill H and W from the top left, what is left over stays as it is.
    Source: Mintun, Kirillov and Xie 2021, "On Interaction Between Augmentations and Corruptions in Natural Corruption
    Robustness".
    """

    name = "pinch_and_twirl"
    levels: ClassVar = {"cifar": tuple((math.pi / 20 * v, 0.04 * v + 0.1) for v in (5.5, 6.0, 6.5, 8.5, 10.0))}
    geometric = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> PinchAndTwirlDraws:
        """Draw one sign a tile."""
        side = _tile(shape)
        tiles = (shape[-2] // side, shape[-1] // side)
        return PinchAndTwirlDraws(1 - 2 * (uniform(seeds, tiles) < 0.5).float())

    def change(self, images: Tensor, draws: PinchAndTwirlDraws, level: Level) -> Tensor:
        """Pinch and twist the discs."""
        return pinch_and_twirl(images, draws.signs, *level)

    def warp(self, masks: Tensor, draws: PinchAndTwirlDraws, level: Level) -> Tensor:
        """Pinch and twist the masks."""
        return nearest(masks, *_places(masks.shape, draws.signs, *level))


def pinch_and_twirl(images: Tensor, signs: Tensor, twirl: float, pinch: float) -> Tensor:
    """Pinch and twist the disc in every tile.

    The source works tile by tile on one array; a disc reads its own tile and the next row and column only, which it
    has not changed yet, so one pass over the original gives the same.

    Args:
        images: Float N×C×H×W.
        signs: 1 or -1, N×R×Q, one a tile.
        twirl: Turn at the centre of a disc in radians.
        pinch: Exponent, 0 for none.

    Returns:
        Float N×C×H×W.
    """
    return bilinear(images, *_places(images.shape, signs, twirl, pinch))


def _places(shape: torch.Size, signs: Tensor, twirl: float, pinch: float) -> tuple[Tensor, Tensor]:
    """Row and column coordinates, N×H×W."""
    side = _tile(shape)
    rows = torch.arange(shape[-2], device=signs.device).float()[:, None]
    columns = torch.arange(shape[-1], device=signs.device).float()
    down, right = (places % side - side / 2 for places in (rows, columns))
    squared = down * down + right * right
    tile_rows, tile_columns = (rows // side).long(), (columns // side).long()
    tiled = (tile_rows < signs.shape[1]) & (tile_columns < signs.shape[2])
    moved = tiled & (squared <= (side / 2) ** 2) & (squared > 0)
    distance = squared.sqrt() / (side / 2)
    scale = torch.where(moved, torch.sin(math.pi / 2 * distance) ** -pinch, 1)
    turn = torch.where(moved, twirl * (1 - distance) ** 2, 0)
    sign = signs[:, tile_rows.clamp(max=signs.shape[1] - 1), tile_columns.clamp(max=signs.shape[2] - 1)]
    cosine, sine = scale * turn.cos(), scale * turn.sin() * sign
    return rows + (cosine - 1) * down - sine * right, columns + sine * down + (cosine - 1) * right


def _tile(shape: torch.Size) -> int:
    """Side of a tile in pixels."""
    shorter = min(shape[-2:])
    return shorter // (5 if shorter == 224 else 3)
