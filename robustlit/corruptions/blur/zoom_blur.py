"""zoom_blur: the camera moves towards the scene while the shutter is open."""

import math
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.clipped_zoom import zoomed_part

__all__ = ["ZoomBlur", "zoom_blur", "zoom_factors"]

_BLOCK = 32  # output pixels of an axis a matrix product: small enough to skip most zeros, large enough to be quick

_Blocks: TypeAlias = tuple[tuple[slice, Tensor], ...]


class ZoomBlur(Corruption[Draws]):
    """Mean of the image and of a row of clipped zooms into its middle; nothing is random.

    Both sides are zoomed by the same factors, whatever the size. ``warp`` moves masks by the mean factor: a blurred
    pixel has no single origin, and that is about the middle of its trail.

    Source: Hendrycks and Dietterich, ICLR 2019; a level is (end, step): the factors run from 1 to below the end.

    Example:
        >>> image = torch.full((1, 3, 32, 32), 0.5)
        >>> bool(torch.allclose(ZoomBlur().change(image, Draws(), (1.06, 0.01)), image))
        True
    """

    name = "zoom_blur"
    geometric = True
    levels: ClassVar = {
        "imagenet": ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        "tiny": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        "cifar": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Average the image and its zooms."""
        return zoom_blur(images, (1.0, *zoom_factors(level[0], level[1])))

    def warp(self, masks: Tensor, draws: Draws, level: Level) -> Tensor:
        """Zoom masks N×H×W by the mean factor, by nearest neighbour."""
        factors = (1.0, *zoom_factors(level[0], level[1]))
        mean = sum(factors) / len(factors)
        rows, columns = (_places(length, mean).round().long().to(masks.device) for length in masks.shape[-2:])
        return masks.index_select(-2, rows).index_select(-1, columns)


def zoom_factors(end: float, step: float) -> tuple[float, ...]:
    """Return 1, 1 + step, … as numpy's ``arange(1, end, step)`` does, which may by rounding reach the end itself.

    Example:
        >>> len(zoom_factors(1.11, 0.01)), len(zoom_factors(1.31, 0.03))
        (12, 11)
    """
    rounded = (1 + step) - 1
    return tuple(1 + i * rounded for i in range(math.ceil((end - 1) / step)))


def zoom_blur(images: Tensor, factors: tuple[float, ...]) -> Tensor:
    """Average clipped zooms: Σ R X Cᵀ over the factors, with bilinear interpolation matrices R and C, block by block.

    Args:
        images: Float32 N×C×H×W.
        factors: Each ≥ 1; one that comes twice counts twice.

    Returns:
        Float32 N×C×H×W; one image's values do not depend on the others.
    """
    height, width = images.shape[-2:]
    planes = images.reshape(-1, height, width)
    count, zooms = planes.shape[0], len(set(factors))
    strips = []
    for part, matrix in _column_blocks(width, factors, images.device):
        zoomed = torch.bmm(planes[..., part], matrix.expand(count, -1, -1)).view(count, height * zooms, -1)
        cells = [
            torch.bmm(weights.expand(count, -1, -1), zoomed[:, rows])
            for rows, weights in _row_blocks(height, factors, images.device)
        ]
        strips.append(torch.cat(cells, 1))
    return torch.cat(strips, 2).view(images.shape)


@cached_tensors(16)
def _column_blocks(length: int, factors: tuple[float, ...], device: torch.device) -> _Blocks:
    """For each block of output columns the input columns that it reads, and the matrix inputs × (zooms · outputs)."""
    matrices = torch.stack([_matrix(length, factor) for factor in sorted(set(factors))])
    blocks = []
    for start in range(0, length, _BLOCK):
        part = matrices[:, start : start + _BLOCK]
        read = _nonzero(part)
        blocks.append((read, part[..., read].permute(2, 0, 1).flatten(1).to(device, torch.float32)))
    return tuple(blocks)


@cached_tensors(16)
def _row_blocks(length: int, factors: tuple[float, ...], device: torch.device) -> _Blocks:
    """For each block of output rows the (row, zoom) pairs that it reads, and the matrix outputs × (rows · zooms)."""
    distinct = sorted(set(factors))
    shares = torch.tensor([factors.count(factor) / len(factors) for factor in distinct], dtype=torch.float64)
    matrices = torch.stack([_matrix(length, factor) for factor in distinct]) * shares[:, None, None]
    blocks = []
    for start in range(0, length, _BLOCK):
        part = matrices[:, start : start + _BLOCK]
        read = _nonzero(part)
        pairs = slice(read.start * len(distinct), read.stop * len(distinct))
        blocks.append((pairs, part[..., read].permute(1, 2, 0).flatten(1).to(device, torch.float32)))
    return tuple(blocks)


def _matrix(length: int, factor: float) -> Tensor:
    """Bilinear clipped zoom of one axis: float64 outputs × inputs."""
    places = _places(length, factor)
    below = places.floor().clamp(max=length - 2)
    share = (places - below)[:, None]
    matrix = torch.zeros(length, length, dtype=torch.float64).scatter_(1, below.long()[:, None], 1 - share)
    return matrix.scatter_(1, below.long()[:, None] + 1, share)


def _places(length: int, factor: float) -> Tensor:
    """Where in the image each pixel of the clipped zoom comes from: corner pixel on corner pixel, as scipy's zoom."""
    part = zoomed_part(length, factor)
    kept = part.stop - part.start
    enlarged = round(kept * factor)
    first = (enlarged - length) // 2
    steps = torch.arange(first, first + length, dtype=torch.float64)
    ratio = (kept - 1) / (enlarged - 1)
    return steps.mul_(ratio).add_(part.start)


def _nonzero(matrices: Tensor) -> slice:
    used = matrices.ne(0).any(0).any(0).nonzero()
    return slice(int(used.min()), int(used.max()) + 1)
