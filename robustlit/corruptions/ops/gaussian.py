"""Gaussian blur with the edges of scipy's ``gaussian_filter``."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors

__all__ = ["Edge", "gaussian_blur", "gaussian_kernel", "kernel_radius"]

Edge: TypeAlias = Literal["nearest", "reflect"]
_BLOCK = 32  # output rows a matrix product: small enough to skip most zeros of the band, large enough to be quick

_Band: TypeAlias = tuple[slice, Tensor]


def gaussian_blur(images: Tensor, sigma: float, *, mode: Edge = "nearest", truncate: float = 4.0) -> Tensor:
    """Blur as scipy's ``gaussian_filter`` and so scikit-image's ``gaussian`` do, in float32.

    One pass along each axis is a product with a banded matrix that holds the kernel and the edges, block by block.

    Args:
        images: Float32 N×C×H×W, of any range.
        sigma: Standard deviation in pixels, ≥ 0; below 0.5 / ``truncate`` nothing changes.
        mode: Beyond the edge: "nearest" repeats the last pixel, "reflect" mirrors with the last pixel repeated.
        truncate: The kernel ends after this many sigma, rounded to whole pixels.

    Returns:
        Float32 N×C×H×W; one image's values do not depend on the others.

    Example:
        >>> spike = torch.zeros(1, 1, 9, 9)
        >>> spike[..., 4, 4] = 1
        >>> round(float(gaussian_blur(spike, 1.0)[0, 0, 4, 4]), 4)  # 0.39895 squared
        0.1592
    """
    if kernel_radius(sigma, truncate) == 0:
        return images.clone()
    height, width = images.shape[-2:]
    planes = images.reshape(-1, height, width)
    key = (float(sigma), mode, float(truncate), images.device)
    planes = torch.cat([_each(band, planes[:, part]) for part, band in _bands(height, *key)], 1)
    planes = torch.cat([_each(planes[..., part], band.t()) for part, band in _bands(width, *key)], 2)
    return planes.view(images.shape)


def gaussian_kernel(sigma: float, radius: int) -> Tensor:
    """Return the normalised weights of offsets -radius…radius, float64 of shape 2·radius+1, on the CPU.

    They are scipy's to the last bit, on which it depends whether a uniform area keeps its grey level in float64.
    """
    weights = [math.exp(-0.5 / (sigma * sigma) * (offset * offset)) for offset in range(-radius, radius + 1)]
    total = sum(weights)
    return torch.tensor([weight / total for weight in weights], dtype=torch.float64)


def _each(left: Tensor, right: Tensor) -> Tensor:
    """Multiply plane by plane; planes merged into the rows of one product could round by the number of planes."""
    count = max(left.shape[0] if left.ndim == 3 else 1, right.shape[0] if right.ndim == 3 else 1)
    return torch.bmm(left.expand(count, *left.shape[-2:]), right.expand(count, *right.shape[-2:]))


def kernel_radius(sigma: float, truncate: float = 4.0) -> int:
    """Return the pixels that the kernel reaches to either side."""
    return int(truncate * sigma + 0.5)


@cached_tensors(64)
def _bands(length: int, sigma: float, mode: Edge, truncate: float, device: torch.device) -> tuple[_Band, ...]:
    """The matrix of one pass as blocks of rows, each with the slice of inputs that it reads."""
    radius = kernel_radius(sigma, truncate)
    taps = torch.arange(length)[:, None] + torch.arange(-radius, radius + 1)
    weights = gaussian_kernel(sigma, radius).expand(length, -1)
    matrix = torch.zeros(length, length, dtype=torch.float64).scatter_add_(1, _inside(taps, length, mode), weights)
    bands = []
    for start in range(0, length, _BLOCK):
        rows = slice(start, min(start + _BLOCK, length))
        part = slice(max(0, rows.start - radius), min(length, rows.stop + radius))
        if mode == "reflect" and radius >= length:
            part = slice(0, length)
        bands.append((part, matrix[rows, part].to(device, torch.float32)))
    return tuple(bands)


def _inside(positions: Tensor, length: int, mode: Edge) -> Tensor:
    """Map positions beyond the edges to the pixels that stand for them."""
    if mode == "nearest":
        return positions.clamp(0, length - 1)
    if mode == "reflect":
        folded = positions.remainder(2 * length)
        return torch.minimum(folded, 2 * length - 1 - folded)
    raise ValueError(f"expected mode 'nearest' or 'reflect', got {mode!r}; try mode='nearest'")
