"""Curves: accuracy over severity, over eps, and any curve that a test kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from robustlit.reports.charts.svg import Frame, marker, nice_ticks, path, svg, text, text_length

__all__ = ["Line", "line_chart"]

_WIDTH, _HEIGHT = 440.0, 300.0


@dataclass(frozen=True)
class Line:
    """A series.

    Args:
        label: Its name.
        x: Where.
        y: How much.
        low: Lower ends of the intervals; empty where there are none.
        high: Upper ends.
        marks: Whether the points are marked.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    marks: bool = True


def line_chart(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[tuple[float, str]] | None = None,
    y_range: tuple[float, float] | None = (0.0, 1.0),
    percent: bool = True,
    diagonal: bool = False,
    title: str = "",
) -> str:
    """Draw series with their intervals as bands, and their names at the right end.

    Args:
        lines: The series; at most eight are told apart by colour and form.
        x_label: What x is.
        y_label: What y is.
        x_ticks: (value, words); chosen by the data when None.
        y_range: Of the axis; by the data when None.
        percent: Whether y is written in percent.
        diagonal: Whether a thin line from corner to corner is drawn, as for ROC curves.
        title: For screen readers.
    """
    room = 30 + max((text_length(each.label) for each in lines), default=0) if len(lines) > 1 else 16
    ys = [value for each in lines for value in each.y]
    xs = [value for each in lines for value in each.x]
    low, high = y_range or (min(ys), max(ys))
    frame = Frame(48, 34, _WIDTH - 48 - room, _HEIGHT - 84, (min(xs), max(xs)), (low, high))
    y_ticks = [(value, f"{100 * value:.0f} %" if percent else f"{value:g}") for value in nice_ticks(low, high)]
    ticks = x_ticks or [(value, f"{value:g}") for value in nice_ticks(*frame.x)]
    parts = frame.axes(ticks, y_ticks, x_label, y_label)
    if diagonal:
        ends = [(frame.across(frame.x[0]), frame.down(low)), (frame.across(frame.x[1]), frame.down(high))]
        parts.append(path(ends, "dashed"))
    for number, each in enumerate(lines):
        parts += _series(frame, each, number)
    if len(lines) > 1:
        parts += _labels(frame, lines)
    return svg(_WIDTH, _HEIGHT, parts, title or y_label)


def _series(frame: Frame, each: Line, number: int) -> list[str]:
    color = f"s{number % 8}"
    points = [(frame.across(x), frame.down(y)) for x, y in zip(each.x, each.y, strict=True)]
    parts = []
    ends = [
        (x, low, high) for x, low, high in zip(each.x, each.low, each.high, strict=False) if None not in (low, high)
    ]
    if len(ends) > 1:
        upper = [(frame.across(x), frame.down(high)) for x, _, high in ends if high is not None]
        lower = [(frame.across(x), frame.down(low)) for x, low, _ in ends if low is not None]
        parts.append(path([*upper, *reversed(lower)], f"band {color}", closed=True))
    parts.append(path(points, f"line {color}"))
    if each.marks:
        parts += [marker(x, y, number, f"mark {color}") for x, y in points]
    return parts


def _labels(frame: Frame, lines: Sequence[Line]) -> list[str]:
    """The names at the right ends, moved apart where they would lie on each other."""
    gap = 15.0
    wanted = sorted((frame.down(each.y[-1]), number) for number, each in enumerate(lines))
    places: list[tuple[float, int]] = []
    for place, number in wanted:
        places.append((max(place, places[-1][0] + gap) if places else place, number))
    over = max(0.0, places[-1][0] - (frame.top + frame.height)) if places else 0.0
    right = frame.left + frame.width
    parts = []
    for place, number in places:
        parts.append(marker(right + 12, place - over, number, f"mark s{number % 8}"))
        parts.append(text(right + 22, place - over + 4, lines[number].label, "name"))
    return parts
