"""Reading images at places between their pixels: bilinear with black outside, and nearest for masks."""

from torch import Tensor
from torch.nn import functional

__all__ = ["bilinear", "nearest"]


def bilinear(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sample images bilinearly; every pixel beyond the image is 0, and a whole coordinate gives that pixel exactly.

    Args:
        images: Float N×C×H×W.
        rows: Row coordinates in pixels, broadcastable to N×H×W.
        columns: Column coordinates, likewise.

    Returns:
        Float N×C×H×W.

    Example:
        >>> import torch
        >>> images = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
        >>> bilinear(images, torch.tensor([[[0.5]]]), torch.tensor([[[0.0, 1.0]]]))[0, 0, 0].tolist()
        [1.0, 2.0]
    """
    count, channels, height, width = images.shape
    top, below = _split(rows, height)
    left, right = _split(columns, width)
    stride = width + 3
    places = (top * stride + left).expand(count, -1, -1)
    plane = places.shape[1:]
    index = places.reshape(count, 1, -1).expand(-1, channels, -1)
    below, right = (part.expand(count, *plane).reshape(count, 1, -1) for part in (below, right))
    pixels = functional.pad(images, (1, 2, 1, 2)).flatten(2)  # two below and right: the second tap of the last place
    size = pixels.shape[2] - stride - 1
    corner = [pixels.narrow(2, shift, size).gather(2, index) for shift in (0, 1, stride, stride + 1)]
    upper = corner[0] * (1 - right) + corner[1] * right
    lower = corner[2] * (1 - right) + corner[3] * right
    return (upper * (1 - below) + lower * below).view(count, channels, *plane)


def nearest(masks: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sample masks at the nearest pixel; places beyond the mask take its nearest edge.

    Args:
        masks: N×H×W of any dtype.
        rows: Row coordinates in pixels, broadcastable to N×H×W.
        columns: Column coordinates, likewise.

    Returns:
        N×H×W of the same dtype.
    """
    height, width = masks.shape[-2:]
    row = (rows + 0.5).floor().clamp(0, height - 1).long()
    column = (columns + 0.5).floor().clamp(0, width - 1).long()
    index = (row * width + column).expand(masks.shape[0], -1, -1)
    return masks.flatten(1).gather(1, index.flatten(1)).view(index.shape)


def _split(places: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The first of two pixels a place lies between, counting one black pixel in front, and how far beyond it."""
    places = places.clamp(-1, length)
    first = places.floor()
    return first.long() + 1, places - first
