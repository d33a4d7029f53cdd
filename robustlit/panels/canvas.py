"""Smooth lines, areas and letters on paper."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from robustlit.panels.text import INK, PAPER, Color, Picture, text_strip, text_width

__all__ = ["Canvas", "Point"]

Point = tuple[float, float]
_FINE = 4  # shapes are drawn this many times larger and shrunk, which makes their edges smooth


class Canvas:
    """A sheet to draw on; coordinates are pixels from the top left. Letters lie on top of shapes.

    Args:
        width: In pixels.
        height: In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), PAPER)
        self._texts: list[tuple[float, float, Picture]] = []

    def line(self, points: Sequence[Point], color: Color, width: float = 1.0, *, dashed: bool = False) -> None:
        """Draw a line through points."""
        for start, end in itertools.pairwise(points):
            for a, b in _dashes(start, end) if dashed else [(start, end)]:
                self._pen().line([_fine(a), _fine(b)], fill=color, width=round(width * _FINE), joint="curve")
        if not dashed and width > 1:
            for point in points:  # round corners
                self.disc(point, width / 2, color)

    def disc(self, center: Point, radius: float, color: Color) -> None:
        """Draw a filled circle."""
        x, y = _fine(center)
        reach = radius * _FINE
        self._pen().ellipse([x - reach, y - reach, x + reach, y + reach], fill=color)

    def area(self, points: Sequence[Point], color: Color, opacity: float = 1.0) -> None:
        """Fill a polygon."""
        layer = Image.new("L", self._image.size, 0)
        ImageDraw.Draw(layer).polygon([_fine(point) for point in points], fill=round(255 * opacity))
        self._image.paste(Image.new("RGB", self._image.size, color), mask=layer)

    def text(self, at: Point, text: str, color: Color = INK, *, size: int = 13, align: float = 0.0) -> None:
        """Write a line whose middle is at this height; ``align`` 0 begins it there, 0.5 centres it, 1 ends it there.

        A line that begins there is shortened where it does not fit.
        """
        width = text_width(text, size) + 2
        strip = text_strip(text, width if align else min(width, int(self.width - at[0])), color=color, size=size)
        # letters reach from the top to about 1.2 times their size
        self._texts.append((at[0] - align * strip.shape[1], at[1] - 0.6 * size - 1, strip))

    def picture(self) -> Picture:
        """Return what was drawn: uint8 H×W×3."""
        sheet = np.array(self._image.resize((self.width, self.height), Image.Resampling.BOX))
        for left, top, strip in self._texts:
            x = min(max(0, round(left)), max(0, self.width - strip.shape[1]))
            y = min(max(0, round(top)), max(0, self.height - strip.shape[0]))
            place = sheet[y : y + strip.shape[0], x : x + strip.shape[1]]
            np.minimum(place, strip[: place.shape[0], : place.shape[1]], out=place)  # paper is transparent
        return sheet

    def _pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self._image)


def _fine(point: Point) -> Point:
    return point[0] * _FINE, point[1] * _FINE


def _dashes(start: Point, end: Point, dash: float = 4.0) -> list[tuple[Point, Point]]:
    """Cut a line into dashes with gaps as long as they are."""
    length = math.dist(start, end)
    cuts = [min(1.0, step * dash / length) for step in range(math.ceil(length / dash) + 1)] if length else []
    points = [(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])) for share in cuts]
    return list(itertools.pairwise(points))[::2]
