"""Motion blur as ImageMagick makes it: a trail of whole-pixel shifts whose weights fall off as half a Gaussian."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["motion_blur"]

_HALF_STEP = 0.5 / 257  # of a grey level: ImageMagick rounds to 16 bits, then cuts down to 8


def motion_blur(images: Tensor, radius: float, sigma: float, angles: Tensor) -> Tensor:
    """Blur every image along its own direction, as ImageMagick 6 (16 bits a value inside) does 8-bit ones.

    Pixel (x, y) becomes the weighted mean of the pixels at (x, y) + i·(cos, sin) of the angle, rounded to whole
    pixels, i = 0 … 2·⌈radius⌉, with weights exp(-i²/2σ²); pixels beyond the edge repeat the last one.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        radius: In pixels, > 0; the trail is 2·⌈radius⌉ pixels long.
        sigma: In pixels, > 0.
        angles: Degrees, float of shape N; 0 trails from the right, 90 from below.

    Returns:
        Float32 N×C×H×W, truncated to 8 bits; one image's values do not depend on the others.

    Example:
        >>> spike = torch.zeros(1, 1, 16, 16)
        >>> spike[..., 8, 8] = 1
        >>> motion_blur(spike, 2, 100.0, torch.tensor([0.0]))[0, 0, 8, 3:9].mul(255).int().tolist()
        [0, 50, 50, 51, 51, 51]
    """
    weights = _weights(radius, sigma)
    reach = len(weights) - 1
    rows, columns = _shifts(angles, len(weights))
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    follow = _follow_views if images.device.type == "cpu" else _follow_gathers
    blurred = follow(padded, weights, rows + reach, columns + reach, images.shape)
    return blurred.mul_(255).add_(_HALF_STEP).floor_().div_(255)


@lru_cache(maxsize=32)
def _weights(radius: float, sigma: float) -> tuple[float, ...]:
    steps = torch.arange(2 * int(-(-radius // 1)) + 1, dtype=torch.float64)
    weights = torch.exp(-(steps**2) / (2 * sigma**2))
    return tuple((weights / weights.sum()).tolist())


def _shifts(angles: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Rows down and columns right of the trail's pixels, each int64 of shape N×count; halves round down."""
    steps = torch.arange(count, dtype=torch.float64, device=angles.device)
    radians = torch.deg2rad(angles.double())[:, None]
    rows, columns = (torch.ceil(steps * part - 0.5).long() for part in (radians.sin(), radians.cos()))
    return rows, columns


def _follow_views(
    padded: Tensor, weights: tuple[float, ...], rows: Tensor, columns: Tensor, shape: torch.Size
) -> Tensor:
    """Add up views of each padded image: nothing is copied, but there is a step a tap and a sample."""
    total = torch.zeros(shape, dtype=padded.dtype)
    for image, source, down, right in zip(total, padded, rows.tolist(), columns.tolist(), strict=True):
        for weight, row, column in zip(weights, down, right, strict=True):
            image.add_(source[:, row : row + shape[2], column : column + shape[3]], alpha=weight)
    return total


def _follow_gathers(
    padded: Tensor, weights: tuple[float, ...], rows: Tensor, columns: Tensor, shape: torch.Size
) -> Tensor:
    """Add up gathers of the whole batch: a step a tap, and the shifts stay on the device."""
    width = padded.shape[3]
    pixels = torch.arange(shape[2], device=padded.device)[:, None] * width
    pixels = (pixels + torch.arange(shape[3], device=padded.device)).view(1, 1, -1)
    starts = rows * width + columns
    flat = padded.flatten(2)
    total = torch.zeros((shape[0], shape[1], shape[2] * shape[3]), dtype=padded.dtype, device=padded.device)
    for tap, weight in enumerate(weights):
        places = (pixels + starts[:, tap, None, None]).expand(total.shape)
        total.add_(flat.gather(2, places), alpha=weight)
    return total.view(shape)
