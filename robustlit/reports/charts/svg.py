"""The parts that charts are made of."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Frame", "circle", "line", "marker", "nice_ticks", "path", "svg", "text", "text_length"]

_LETTER = 7.0  # pixels: the usual width of a letter at 11 pixels


@dataclass(frozen=True)
class Frame:
    """The rectangle of a chart's data, in pixels, and the range of the data.

    Args:
        left: Of the rectangle; likewise ``top``, ``width``, ``height``.
        top: See there.
        width: See there.
        height: See there.
        x: The range of x.
        y: The range of y.
    """

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """The place of a value of x, in pixels."""
        low, high = self.x
        return self.left + self.width * (value - low) / ((high - low) or 1)

    def down(self, value: float) -> float:
        """The place of a value of y, in pixels."""
        low, high = self.y
        return self.top + self.height * (1 - (value - low) / ((high - low) or 1))

    def axes(
        self, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], x_label: str, y_label: str
    ) -> list[str]:
        """Draw ticks, thin lines at those of y, and the labels of both axes."""
        right, bottom = self.left + self.width, self.top + self.height
        parts = []
        for value, words in y_ticks:
            place = self.down(value)
            parts.append(line(self.left, place, right, place, "grid"))
            parts.append(text(self.left - 8, place + 4, words, "tick", "end"))
        for value, words in x_ticks:
            place = self.across(value)
            parts.append(line(place, bottom, place, bottom + 4, "axis"))
            parts.append(text(place, bottom + 18, words, "tick", "middle"))
        parts.append(line(self.left, bottom, right, bottom, "axis"))
        parts.append(text(self.left + self.width / 2, bottom + 36, x_label, "label", "middle"))
        parts.append(text(self.left - 8, self.top - 12, y_label, "label", "start"))
        return parts


def svg(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """Put parts together; the title is what a screen reader says."""
    inside = "".join(parts)
    return (
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" style="max-width:{_n(1.12 * width)}px" role="img" '
        f'xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def text(x: float, y: float, words: str, kind: str = "tick", anchor: str = "start") -> str:
    """Return a line of text, escaped.

    Example:
        >>> text(1, 2, "<b>")
        '<text x="1" y="2" class="tick" text-anchor="start">&lt;b&gt;</text>'
    """
    return f'<text x="{_n(x)}" y="{_n(y)}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" class="{kind}"/>'


def path(points: Sequence[tuple[float, float]], kind: str, *, closed: bool = False) -> str:
    """Return a line through points."""
    steps = " L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f'<path d="M{steps}{"Z" if closed else ""}" class="{kind}"/>' if points else ""


def circle(x: float, y: float, radius: float, kind: str) -> str:
    """Return a circle."""
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" class="{kind}"/>'


def marker(x: float, y: float, number: int, kind: str) -> str:
    """Return a mark whose form tells series apart without colour: circle, square, triangle, diamond, in turn."""
    form, r = number % 4, 3.6
    if form == 0:
        return circle(x, y, r, kind)
    corners = {
        1: [(-r, -r), (r, -r), (r, r), (-r, r)],
        2: [(0, -r - 1), (r + 1, r), (-r - 1, r)],
        3: [(0, -r - 1.4), (r + 1.4, 0), (0, r + 1.4), (-r - 1.4, 0)],
    }[form]
    return path([(x + dx, y + dy) for dx, dy in corners], kind, closed=True)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers from low to high.

    Example:
        >>> nice_ticks(0.13, 0.92)
        [0.2, 0.4, 0.6, 0.8]
    """
    if not high > low:
        return [low]
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * place, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def text_length(words: str) -> float:
    """About how long a line is, in pixels."""
    return _LETTER * len(words)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
