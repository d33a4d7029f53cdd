"""How what a model looks at in one image changed while it was trained."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from robustlit.panels.grid import below, grid, titled
from robustlit.panels.table import bordered
from robustlit.panels.text import GREEN, GREY, RED, Picture, letters, text_strip

__all__ = ["FRAMES", "Frame", "filmstrip", "thinned"]

FRAMES = 8
_COLUMNS = 4


class Frame(NamedTuple):
    """One epoch of an image.

    Args:
        epoch: From 0.
        picture: The image with its map, h×w×3.
        says: What the model says.
        right: Whether that is right.
    """

    epoch: int
    picture: Picture
    says: str
    right: bool


def filmstrip(image: Picture, frames: Sequence[Frame], title: str = "", note: str = "") -> Picture:
    """Show an image, and its map and prediction at some epochs; solid green where right, dashed red where wrong.

    Args:
        image: The image itself, h×w×3.
        frames: In the order of the epochs; the first one and the last 6 fit.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture, 4 tiles a row, two rows at most.
    """
    shown = [*frames[:1], *frames[1:][-(FRAMES - 2) :]]
    width = image.shape[1]
    size = letters(_COLUMNS * (width + 6))
    blank = text_strip("", width, size=size)
    tiles = [below(image, text_strip("image", width, color=GREY, size=size), blank)]
    for frame in shown:
        lines = [
            text_strip(f"epoch {frame.epoch}", width, color=GREY, size=size),
            text_strip(frame.says, width, color=GREEN if frame.right else RED, size=size),
        ]
        tiles.append(below(bordered(frame.picture, frame.right), *lines))
    sheet = grid(tiles, _COLUMNS)
    missing = _COLUMNS * (width + 6) + 6 - sheet.shape[1]
    return titled(title, np.pad(sheet, ((0, 0), (0, max(0, missing)), (0, 0)), constant_values=255), note=note)


def thinned(epochs: Sequence[int], most: int = FRAMES - 1) -> list[int]:
    """Return at most so many of increasing epochs, about evenly spaced in their logarithm, with the first and the last.

    Adding an epoch and thinning again, over and over, keeps them so.

    Example:
        >>> kept = []
        >>> for epoch in range(100):
        ...     kept = thinned([*kept, epoch], 5)
        >>> kept[0], kept[-1], len(kept)
        (0, 99, 5)
    """
    kept = list(epochs)
    while len(kept) > most:
        # the one whose neighbours are closest to each other, as ratios
        spans = [(kept[place + 1] + 1) / (kept[place - 1] + 1) for place in range(1, len(kept) - 1)]
        del kept[1 + int(np.argmin(spans))]
    return kept
