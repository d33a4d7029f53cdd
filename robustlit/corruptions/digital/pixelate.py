"""Pixelate: smaller by the mean of a box, and larger again by repetition."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["Pixelate", "pixelate"]


def pixelate(images: Tensor, scale: float) -> Tensor:
    """Resize to a share of each side and back, as Pillow does with its box filter.

    Pillow averages along rows, rounds to 8 bits, and does the same along columns; of the few pixels of a box this is
    the mean with halves rounded up. All sums are whole numbers, exact in float32.

    Args:
        images: float32 N×C×H×W, whole grey levels divided by 255.
        scale: Share of the side, from 0.25 to 1; sides are truncated to whole pixels.

    Returns:
        float32 N×C×H×W, whole grey levels divided by 255.
    """
    height, width = images.shape[-2:]
    rows, row_share, row_origin = _boxes(height, int(height * scale), images.device)
    columns, column_share, column_origin = _boxes(width, int(width * scale), images.device)
    levels = (images * 255).round_()
    levels = (levels @ columns.T).mul_(column_share).add_(0.5).floor_()
    levels = (rows @ levels).mul_(row_share[:, None]).add_(0.5).floor_().div_(255)
    return levels.index_select(3, column_origin).index_select(2, row_origin)


class Pixelate(Corruption[Draws]):
    """Fewer pixels (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the share of each side that is left, so squares are of the same size in pixels for images of any size.

    Example:
        >>> Pixelate().change(torch.rand(1, 1, 16, 16), Draws(), (0.25,)).unique().numel() <= 16
        True
    """

    name = "pixelate"
    levels: ClassVar = {
        "imagenet": ((0.6,), (0.5,), (0.4,), (0.3,), (0.25,)),
        "tiny": ((0.9,), (0.8,), (0.7,), (0.6,), (0.5,)),
        "cifar": ((0.95,), (0.9,), (0.85,), (0.75,), (0.65,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Pixelate."""
        return pixelate(images, level[0])


@cached_tensors(64)
def _boxes(large: int, small: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """What a box reads, small×large of zeros and ones; one over its size; and the box of each of the large pixels."""
    boxes = torch.zeros(small, large)
    for box, inside in enumerate(_box_filter(large, small)):
        boxes[box, inside] = 1
    origin = [inside[0] for inside in _box_filter(small, large)]
    return boxes.to(device), (1 / boxes.sum(1)).to(device), torch.tensor(origin, device=device)


def _box_filter(before: int, after: int) -> list[list[int]]:
    """The pixels that Pillow's box filter averages, for each pixel after resizing."""
    scale = before / after
    reach = max(scale, 1.0)
    boxes = []
    for pixel in range(after):
        center = (pixel + 0.5) * scale
        start, stop = max(0, int(center - reach / 2 + 0.5)), min(before, int(center + reach / 2 + 0.5))
        boxes.append([i for i in range(start, stop) if -0.5 < (i - center + 0.5) / reach <= 0.5])
    return boxes
