"""What an augmentation did: before, after and the difference, with what was drawn."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.grid import below, grid, titled, to_pictures
from robustlit.panels.overlay import outline
from robustlit.panels.text import GREY, Picture, letters, text_strip

__all__ = ["augmentation_panel"]

_COLUMNS = 3


def augmentation_panel(
    before: Tensor,
    after: Tensor,
    captions: Sequence[Sequence[str]],
    title: str,
    masks: tuple[Tensor, Tensor] | None = None,
) -> Picture:
    """Draw a row an image: before, after and their absolute difference, and below it what was drawn.

    Args:
        before: Float N×C×H×W in [0, 1].
        after: The same images, changed.
        captions: Lines of text for each of the N images.
        title: Line at the top.
        masks: Class masks N×H×W before and after, whose outlines are drawn into the pictures.

    Returns:
        uint8 picture.

    Example:
        >>> images = torch.rand(2, 3, 32, 32)
        >>> augmentation_panel(images, 1 - images, [["inverted"]] * 2, "epoch 0").shape[2]
        3
    """
    columns = [to_pictures(before), to_pictures(after), to_pictures((after - before).abs())]
    if masks is not None:
        columns[:2] = [_outlined(*pair) for pair in zip(columns[:2], masks, strict=True)]
    rows: list[Picture] = []
    for pictures, lines in zip(zip(*columns, strict=True), captions, strict=True):
        row = grid(pictures, _COLUMNS)
        rows += [row, *(text_strip(line, row.shape[1], size=letters(row.shape[1]), color=GREY) for line in lines)]
    return titled(title, below(*rows), note="before · after · difference")


def _outlined(pictures: Sequence[Picture], masks: Tensor) -> list[Picture]:
    size = pictures[0].shape[:2]
    shown = F.interpolate(masks[:, None].detach().double().cpu(), size, mode="nearest-exact")[:, 0].to(torch.int64)
    return [outline(picture, np.asarray(mask)) for picture, mask in zip(pictures, shown, strict=True)]
