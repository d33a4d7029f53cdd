"""Affine warps, a matrix a sample, and shifts by whole pixels; black beyond the border."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["affine", "shift"]


def affine(images: Tensor, matrix: Tensor) -> Tensor:
    """Read every output pixel at an affine image of its place, bilinearly.

    Args:
        images: Float32 N×C×H×W.
        matrix: Float N×2×3: from the output's (x, y, 1) in pixels to the place in the input, both counted from the
            image's outer corner, as in ``PIL.Image.transform``.

    Returns:
        Float32 N×C×H×W; beyond the border it is black.
    """
    height, width = images.shape[2:]
    across = torch.arange(width, device=images.device) + 0.5
    down = torch.arange(height, device=images.device)[:, None] + 0.5
    grid = images.new_empty(len(images), height, width, 2)
    for axis, length in enumerate((width, height)):
        a, b, c = (matrix[:, axis, k][:, None, None] * (2 / length) for k in range(3))
        torch.add(a * across, b * down + (c - 1), out=grid[..., axis])
    return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def shift(images: Tensor, moved: Tensor) -> Tensor:
    """Read every output pixel a whole number of pixels further to the right and down.

    Args:
        images: Float32 N×C×H×W.
        moved: Right and down, whole numbers, float N×2.

    Returns:
        Float32 N×C×H×W; beyond the border it is black.
    """
    if images.device.type != "cpu":
        matrix = torch.eye(2, 3, device=images.device).repeat(len(images), 1, 1)
        matrix[:, :, 2] = moved
        return affine(images, matrix)
    result = torch.zeros_like(images)
    height, width = images.shape[2:]
    for image, target, (x, y) in zip(images, result, moved.long().tolist(), strict=True):
        part = image[:, max(y, 0) : max(height + y, 0), max(x, 0) : max(width + x, 0)]
        top, left = max(-y, 0), max(-x, 0)
        target[:, top : top + part.shape[1], left : left + part.shape[2]] = part
    return result
