"""Pictures out of image tensors, and one picture out of many."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.text import GREY, PAPER, Picture, letters, text_strip, text_width, wrapped

__all__ = ["below", "display_size", "frame", "grid", "titled", "to_pictures"]

_SMALL, _LARGE = 128, 256  # pixels: the sides of a picture end up between these
_MARGIN = 6


def display_size(height: int, width: int) -> tuple[int, int]:
    """Return the size to show an image at: small ones a whole number of times larger, large ones 256 pixels long.

    Example:
        >>> display_size(32, 32), display_size(360, 480)
        ((128, 128), (192, 256))
    """
    if max(height, width) > _LARGE:
        scale = _LARGE / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))
    factor = max(1, min(-(-_SMALL // min(height, width)), 2 * _LARGE // max(height, width)))
    return height * factor, width * factor


def to_pictures(images: Tensor) -> list[Picture]:
    """Turn images into pictures at :func:`display_size`; pixels of small images stay sharp squares.

    Args:
        images: Float N×C×H×W in [0, 1], on any device; values outside are clipped, NaN is black. One channel is shown
            grey, two as their mean, and of more than three the first three.

    Returns:
        N pictures H×W×3.
    """
    images = images.detach().float().cpu().nan_to_num(0.0).clamp(0, 1)
    channels = images.shape[1]
    images = images[:, :3] if channels >= 3 else images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    size = display_size(*images.shape[-2:])
    shrink = size[0] < images.shape[-2]
    images = F.interpolate(images, size, mode="area") if shrink else F.interpolate(images, size, mode="nearest")
    pixels = images.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return list(np.ascontiguousarray(pixels.numpy()))


def frame(picture: Picture, color: tuple[int, int, int], width: int = 4) -> Picture:
    """Return the picture with a coloured frame around it."""
    height, length, _ = picture.shape
    framed = np.full((height + 2 * width, length + 2 * width, 3), color, dtype=np.uint8)
    framed[width:-width, width:-width] = picture
    return framed


def below(*pictures: Picture) -> Picture:
    """Stack pictures from top to bottom, flush left on paper."""
    width = max(picture.shape[1] for picture in pictures)
    return np.concatenate([_padded(picture, picture.shape[0], width) for picture in pictures])


def grid(pictures: Sequence[Picture], columns: int) -> Picture:
    """Tile pictures row by row into one, with margins.

    Args:
        pictures: At least one picture, of any sizes; all cells are as large as the largest.
        columns: Pictures in a row.

    Returns:
        One picture.

    Example:
        >>> grid([np.zeros((10, 20, 3), np.uint8)] * 3, columns=2).shape
        (38, 58, 3)
    """
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((_step(height) * rows + _MARGIN, _step(width) * columns + _MARGIN, 3), PAPER, dtype=np.uint8)
    for position, picture in enumerate(pictures):
        top = _MARGIN + _step(height) * (position // columns)
        left = _MARGIN + _step(width) * (position % columns)
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def titled(title: str, *parts: Picture, note: str = "") -> Picture:
    """Stack parts under a title line, and a grey one if given, with a margin at the left as :func:`grid` has it.

    A note that is too long for one line goes on below, after one of its dots: what figures must not be compared without
    is not to be cut off.
    """
    margin = np.full((1, _MARGIN, 3), PAPER, dtype=np.uint8)
    width = max(part.shape[1] for part in parts)
    room, size = width - _MARGIN, letters(width)
    words = note.split(" · ") if note else []
    lines = [text_strip(title, room, size=size)]
    for line in wrapped(words, room, extra=text_width(" · ", size), size=size):
        lines.append(text_strip(" · ".join(words[place] for place in line), room, size=size, color=GREY))
    strip = np.concatenate(lines)
    return below(np.concatenate([np.broadcast_to(margin, (len(strip), _MARGIN, 3)), strip], axis=1), *parts)


def _step(length: int) -> int:
    return length + _MARGIN


def _padded(picture: Picture, height: int, width: int) -> Picture:
    sheet = np.full((height, width, 3), PAPER, dtype=np.uint8)
    sheet[: picture.shape[0], : picture.shape[1]] = picture
    return sheet
