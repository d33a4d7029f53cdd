"""Strips of text to put above and below pictures."""

import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = [
    "GREEN",
    "GREY",
    "INK",
    "LARGEST",
    "PAPER",
    "RED",
    "Color",
    "Picture",
    "letters",
    "text_strip",
    "text_width",
    "wrapped",
]

Picture = NDArray[np.uint8]
Color = tuple[int, int, int]

PAPER: Color = (255, 255, 255)
INK: Color = (32, 33, 36)
GREY: Color = (110, 114, 120)
GREEN: Color = (24, 128, 56)
RED: Color = (200, 30, 30)

LARGEST = 36  # pixels: a picture this wide is looked at enlarged, and its heads are to fit their columns
_SIZE = 13  # pixels; readable in TensorBoard at actual size
_CARD, _IN_CARD = 350, 11  # pixels: the width of TensorBoard's card, which shrinks pictures, and letters readable in it


def text_strip(text: str, width: int, *, color: Color = INK, size: int = _SIZE, centered: bool = False) -> Picture:
    """Draw one line of text on paper, shortened with "…" where it does not fit.

    Args:
        text: The line.
        width: Width of the strip in pixels.
        color: Colour of the letters, 0…255.
        size: Height of the letters in pixels.
        centered: Whether to centre the line rather than begin it at the left.

    Returns:
        uint8 picture width pixels wide and about 1.4 times as high as its letters.

    Example:
        >>> text_strip("dog 0.93", 80).shape
        (18, 80, 3)
    """
    text = _shortened(_plain(text), width, size)
    image = Image.new("RGB", (width, size + max(5, size * 3 // 8)), PAPER)
    left = max(0, (width - text_width(text, size)) // 2) if centered else 0
    ImageDraw.Draw(image).text((left, 1), text, fill=color, font=_font(size))
    return np.asarray(image, dtype=np.uint8)


def letters(width: int) -> int:
    """Return the height of letters, in pixels, that can still be read where TensorBoard shrinks a picture to its card.

    Args:
        width: Width of the whole picture in pixels.

    Example:
        >>> letters(300), letters(700)
        (13, 22)
    """
    return min(LARGEST, max(_SIZE, round(_IN_CARD * width / _CARD)))


def text_width(text: str, size: int = _SIZE) -> int:
    """Return the width of a line in pixels, rounded up."""
    return int(np.ceil(_font(size).getlength(text)))


def wrapped(texts: list[str], width: int, extra: int = 0, size: int = _SIZE) -> Iterator[list[int]]:
    """Break words that each need ``extra`` more pixels into lines; yields the positions of the words of a line."""
    line: list[int] = []
    used = 0
    for position, text in enumerate(texts):
        needed = text_width(text, size) + extra
        if line and used + needed > width:
            yield line
            line, used = [], 0
        line.append(position)
        used += needed
    if line:
        yield line


def _plain(text: str) -> str:
    """Take the accents off: Pillow's own font has none and would draw boxes."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def _shortened(text: str, width: int, size: int) -> str:
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
