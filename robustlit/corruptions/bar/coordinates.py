"""Where the pixels are."""

import math

import torch
from torch import Tensor

__all__ = ["angle", "coordinates", "to_pixels"]


def coordinates(images: Tensor, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Return the rows 1×H×1 and the columns 1×1×W of images N×C×H×W, counted from 0.

    Args:
        images: Gives the size and the device.
        dtype: float64 where rounding would move an edge by a pixel.
    """
    height, width = images.shape[-2:]
    rows = torch.arange(height, dtype=dtype, device=images.device)
    columns = torch.arange(width, dtype=dtype, device=images.device)
    return rows[None, :, None], columns[None, None, :]


def to_pixels(numbers: Tensor, height: int, width: int) -> Tensor:
    """Return places (row, column) in pixels from numbers in [0, 1) of shape …×2."""
    return torch.stack((numbers[..., 0] * height, numbers[..., 1] * width), dim=-1)


def angle(down: Tensor, right: Tensor) -> Tensor:
    """Return atan2(right, down) on a grid, in radians from -π to π; 0 where both are 0.

    It is faster than ``torch.atan2``, and unlike it gives a number the same last digit wherever it lies in memory,
    which the same pixels for any batch size need.

    Args:
        down: N×H×1.
        right: N×1×W.
    """
    tiny = torch.finfo(down.dtype).tiny
    quarter = (right / torch.where(down == 0, tiny, down)).atan_()
    half_turn = torch.where(right < 0, -math.pi, math.pi).to(down.dtype)
    return quarter + (down < 0) * half_turn
