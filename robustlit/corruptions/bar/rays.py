"""Sparkles: how bright the rays around a centre are."""

import math

import torch
from torch import Tensor

from robustlit.corruptions.bar.coordinates import angle

__all__ = ["FEWEST_RAYS", "MOST_RAYS", "ray_counts", "sparkle"]

FEWEST_RAYS, MOST_RAYS = 50, 199


def ray_counts(numbers: Tensor) -> Tensor:
    """Return whole numbers of rays, 50 to 199 as int64, from numbers in [0, 1)."""
    return FEWEST_RAYS + (numbers * (MOST_RAYS - FEWEST_RAYS + 1)).long()


def sparkle(rows: Tensor, columns: Tensor, centres: Tensor, counts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two factors of a sparkle's light at every pixel.

    Args:
        rows: 1×H×1.
        columns: 1×1×W.
        centres: N×2, row and column in pixels.
        counts: N, int64: how many rays there are.
        lengths: N×199 in pixels, of which the first ``counts`` are used.

    Returns:
        N×H×W each: how near the middle between two rays the pixel is, 0.75 to 1; and the squared length of the ray
        over the squared distance, the length being interpolated between the two rays.
    """
    down = rows - centres[:, 0, None, None]
    right = columns - centres[:, 1, None, None]
    turn = (angle(down, right) + math.pi) * (counts[:, None, None] / (2 * math.pi))
    ray = turn.floor()
    between = turn - ray
    # the rays close to a circle: those after the last are the first ones again
    ring = lengths.gather(1, torch.arange(MOST_RAYS + 3, device=counts.device) % counts[:, None])
    step = ring[:, 1:] - ring[:, :-1]
    index = ray.long().flatten(1)
    length = ring.gather(1, index).view_as(turn).addcmul(step.gather(1, index).view_as(turn), between)
    distance = (down**2 + right**2).add_(1e-4)
    return 1 - (between - 0.5).square_(), length.square_().div_(distance)
