"""Configurations by their clean and their robust score, and the front of those that no other one beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass

from robustlit.reports.charts.svg import Frame, line, marker, nice_ticks, path, svg, text, text_length

__all__ = ["Dot", "front", "scatter_chart"]

_WIDTH, _HEIGHT = 440.0, 360.0


@dataclass(frozen=True)
class Dot:
    """A configuration.

    Args:
        label: Its name.
        x: Clean score.
        y: Robust score.
        dx: Standard deviation of x over seeds.
        dy: Of y.
    """

    label: str
    x: float
    y: float
    dx: float = 0.0
    dy: float = 0.0


def front(dots: Sequence[Dot]) -> list[int]:
    """Return the numbers of the dots on the Pareto front: no other is at least as good in both and better in one.

    Example:
        >>> front([Dot("a", 0.9, 0.2), Dot("b", 0.8, 0.5), Dot("c", 0.7, 0.4)])
        [0, 1]
    """

    def beaten(dot: Dot) -> bool:
        return any(other.x >= dot.x and other.y >= dot.y and (other.x > dot.x or other.y > dot.y) for other in dots)

    return [number for number, dot in enumerate(dots) if not beaten(dot)]


def scatter_chart(dots: Sequence[Dot], *, x_label: str, y_label: str, title: str = "") -> str:
    """Draw the configurations; those of the front are filled and joined."""
    xs, ys = _range([(dot.x, dot.dx) for dot in dots]), _range([(dot.y, dot.dy) for dot in dots])
    frame = Frame(52, 34, _WIDTH - 68, _HEIGHT - 84, xs, ys)
    ticks = [[(value, f"{100 * value:g} %") for value in nice_ticks(*ends)] for ends in (xs, ys)]
    parts = frame.axes(ticks[0], ticks[1], x_label, y_label)
    best = front(dots)
    ordered = sorted((dots[number] for number in best), key=lambda dot: dot.x)
    parts.append(path([(frame.across(dot.x), frame.down(dot.y)) for dot in ordered], "dashed"))
    for number, dot in enumerate(dots):
        x, y = frame.across(dot.x), frame.down(dot.y)
        if dot.dx:
            parts.append(line(frame.across(dot.x - dot.dx), y, frame.across(dot.x + dot.dx), y, "whisker"))
        if dot.dy:
            parts.append(line(x, frame.down(dot.y - dot.dy), x, frame.down(dot.y + dot.dy), "whisker"))
        parts.append(marker(x, y, number, f"mark s{number % 8}" if number in best else f"hollow s{number % 8}"))
        left = x + 12 + text_length(dot.label) > _WIDTH
        parts.append(text(x - 10 if left else x + 10, y - 8, dot.label, "name", "end" if left else "start"))
    return svg(_WIDTH, _HEIGHT, parts, title or f"{y_label} over {x_label}")


def _range(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    low = min(value - spread for value, spread in values)
    high = max(value + spread for value, spread in values)
    margin = max(0.01, 0.12 * (high - low))
    return max(0.0, low - margin), min(1.0, high + margin)
