"""Canny's edges as OpenCV finds them with a 3×3 Sobel operator and the L1 norm."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["canny"]

_TANGENT = 13573.0  # of 22.5°, times 2¹⁵
_FOLLOWED = 8  # pixels that a weak edge is followed from a strong one


def canny(images: Tensor, low: float, high: float) -> Tensor:
    """Find edges (Canny 1986, with the integer decisions of OpenCV's ``Canny``).

    All values are whole numbers that float32 holds exactly, so no decision depends on rounding. A weak edge is kept
    where a strong one lies at most 8 pixels along it; OpenCV follows it to its end.

    Args:
        images: Float32 N×H×W of whole grey levels, 0 to 255.
        low: Gradients above it are edges beside strong ones.
        high: Gradients above it are strong edges.

    Returns:
        Bool N×H×W.
    """
    across, down = _sobel(images)
    size = across.abs() + down.abs()
    thin = _ridges(size, across, down) & (size > low)
    edges = thin & (size > high)
    for _ in range(_FOLLOWED):
        edges = _dilated(edges) & thin
    return edges


def _sobel(images: Tensor) -> tuple[Tensor, Tensor]:
    padded = F.pad(images[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    slope = padded[:, :, 2:] - padded[:, :, :-2]
    across = slope[:, :-2] + 2 * slope[:, 1:-1] + slope[:, 2:]
    smooth = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return across, smooth[:, 2:] - smooth[:, :-2]


def _ridges(size: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Where a gradient is the largest along its own direction, which is one of four."""
    height, width = size.shape[-2:]
    padded = F.pad(size, (1, 1, 1, 1))

    def beside(row: int, column: int) -> Tensor:
        return padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]

    flat, steep = across.abs(), down.abs().mul_(32768)
    level = flat * _TANGENT
    horizontal = steep < level
    vertical = steep.sub_(flat, alpha=65536) > level
    rising = across * down < 0
    falling = ~rising
    diagonal = (rising & (size > torch.maximum(beside(-1, 1), beside(1, -1)))) | (
        falling & (size > torch.maximum(beside(-1, -1), beside(1, 1)))
    )
    # of two equal neighbours in a row or column the first is the ridge; whole numbers: ≥ b is > b − 1
    largest = torch.maximum(beside(0, -1), beside(0, 1) - 1)
    upright = torch.maximum(beside(-1, 0), beside(1, 0) - 1)
    straight = (horizontal & (size > largest)) | (vertical & (size > upright))
    return straight | (diagonal & ~(horizontal | vertical))


def _dilated(marks: Tensor) -> Tensor:
    padded = F.pad(marks, (1, 1, 1, 1))
    rows = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return rows[:, :, :-2] | rows[:, :, 1:-1] | rows[:, :, 2:]
