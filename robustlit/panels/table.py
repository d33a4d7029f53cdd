"""Rows of pictures and words under column heads, and the words themselves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from robustlit.panels.colormap import colored
from robustlit.panels.text import GREEN, GREY, INK, LARGEST, PAPER, RED, Picture, text_strip, text_width

__all__ = ["Guess", "Words", "bordered", "column_head", "fitting", "room_for_words", "scale_bar", "table", "words_cell"]

_MARGIN = 6
_BORDER = 4
_SHARE = 0.3  # of the picture's width, for words
_LETTERS = 16  # of the largest column of words, in heights of its letters
_IN_CARD = 11 / 350  # height of letters by width of the picture
_BAR = (226, 232, 240)


class Guess(NamedTuple):
    """One class that the model considers.

    Args:
        name: Of the class.
        probability: In [0, 1].
        true: Whether it is the true one.
    """

    name: str
    probability: float
    true: bool


class Words(NamedTuple):
    """What is written beside an image.

    Args:
        head: The first line, in grey: the truth, or what was done to the image.
        guesses: The likeliest classes, the first being the prediction.
        right: Whether the prediction is right; None where that is not known.
        notes: Further lines, in grey, where there is room.
    """

    head: str
    guesses: Sequence[Guess]
    right: bool | None
    notes: Sequence[str] = ()


def column_head(name: str) -> str:
    """Return what stands above a column of maps; of several layers the layer comes first, for it tells them apart.

    Example:
        >>> column_head("grad_cam"), column_head("grad_cam@network.up.3")
        ('grad cam', '@up.3 grad cam')
    """
    method, _, layer = name.partition("@")
    words = method.replace("_", " ")
    parts = layer.split(".")
    tail = ".".join(parts[-2:] if parts[-1].isdigit() else parts[-1:])
    return f"@{tail} {words}" if layer else words


def room_for_words(tiles: int, width: int) -> tuple[int, int]:
    """Return the width of a column of words beside some tiles, and the height of its letters, both in pixels.

    Example:
        >>> room_for_words(3, 128)
        (178, 18)
    """
    whole = tiles * (width + _MARGIN) / (1 - _SHARE)
    size = min(LARGEST, max(13, round(_IN_CARD * whole)))
    return min(round(_SHARE * whole), _LETTERS * size) + _MARGIN, size


def words_cell(words: Words, width: int, height: int, size: int) -> Picture:
    """Write words on paper; behind a guess lies a bar as long as its probability.

    Args:
        words: What to write.
        width: In pixels.
        height: In pixels; lines that do not fit are left out, but never the first guess.
        size: Height of the letters in pixels.
    """
    strips = [text_strip(words.head, width, color=GREY, size=size)]
    for place, guess in enumerate(words.guesses):
        color = GREEN if guess.true else RED if place == 0 and words.right is not None else INK
        strips.append(_on_bar(f"{guess.probability:.2f} {guess.name}", guess.probability, width, size, color))
    strips += [text_strip(note, width, color=GREY, size=size) for note in words.notes]
    fitting = max(2, height // len(strips[0]))
    return np.concatenate(strips[:fitting])


def bordered(picture: Picture, right: bool | None) -> Picture:
    """Draw a border inside a picture: solid green where the model is right, dashed red where it is wrong, else none."""
    if right is None:
        return picture
    height, width = picture.shape[:2]
    rows, columns = np.indices((height, width))
    edge = (rows < _BORDER) | (rows >= height - _BORDER) | (columns < _BORDER) | (columns >= width - _BORDER)
    if not right:
        edge &= ((rows + columns) // (3 * _BORDER)) % 2 == 0
    return np.where(edge[..., None], np.array(GREEN if right else RED), picture).astype(np.uint8)


def table(heads: Sequence[str], rows: Sequence[Sequence[Picture]], size: int) -> Picture:
    """Put cells in rows and columns, each column as wide as its widest cell.

    Args:
        heads: One word a column, may be empty.
        rows: At least one row of as many cells as there are heads.
        size: Height of the letters of the heads in pixels.
    """
    widths = [max(cells[place].shape[1] for cells in rows) for place in range(len(heads))]
    strips = [
        text_strip(head, width, color=GREY, size=fitting(head, width, size))
        for head, width in zip(heads, widths, strict=True)
    ]
    lines = [_line(strips, widths), *(_line(cells, widths) for cells in rows)]
    return np.concatenate(lines)


def scale_bar(width: int, size: int, low: str = "0", high: str = "strongest of each image") -> Picture:
    """Return the colours of a map from low to high, with what they stand for."""
    length = max(2, width // 5)
    bar = np.broadcast_to(colored(torch.linspace(0, 1, length)).numpy(), (size, length, 3))
    left = text_strip(low, text_width(low, size) + 8, color=GREY, size=size)
    right = text_strip(high, width - left.shape[1] - bar.shape[1] - 3 * _MARGIN, color=GREY, size=size)
    line = np.full((len(left) + 2, width, 3), PAPER, dtype=np.uint8)
    place = _MARGIN
    for part, top in ((left, 0), (bar, 3), (right, 0)):
        line[top : top + len(part), place : place + part.shape[1]] = part[: len(line) - top]
        place += part.shape[1] + _MARGIN // 2
    return line


def _on_bar(text: str, share: float, width: int, size: int, color: tuple[int, int, int]) -> Picture:
    strip = text_strip(text, width, color=color, size=size).copy()
    bar = strip[1:-1, : round(min(1.0, max(0.0, share)) * width)]
    bar[:] = np.minimum(bar, np.array(_BAR, dtype=np.uint8))
    return strip


def fitting(text: str, width: int, size: int) -> int:
    """Return the height of letters at which a text fits a width, no smaller than two thirds of that asked for."""
    smallest = size * 2 // 3
    return next((fit for fit in range(size, smallest, -1) if text_width(text, fit) <= width), smallest)


def _line(cells: Sequence[Picture], widths: Sequence[int]) -> Picture:
    height = max(len(cell) for cell in cells) + _MARGIN
    line = np.full((height, sum(widths) + _MARGIN * (len(widths) + 1), 3), PAPER, dtype=np.uint8)
    left = _MARGIN
    for cell, width in zip(cells, widths, strict=True):
        line[: len(cell), left : left + cell.shape[1]] = cell
        left += width + _MARGIN
    return line
