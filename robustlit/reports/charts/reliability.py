"""A reliability diagram: how often answers are right, by how sure the model is of them."""

from collections.abc import Sequence

from robustlit.reports.charts.svg import Frame, line, marker, path, svg, text

__all__ = ["reliability_chart"]

_WIDTH, _HEIGHT, _COUNTS = 380.0, 380.0, 46.0


def reliability_chart(
    series: Sequence[tuple[str, Sequence[float | None], Sequence[float | None], Sequence[int]]], title: str = ""
) -> str:
    """Draw accuracy over confidence, the line of a calibrated model, and how many answers there are below.

    Args:
        series: (name, confidence, accuracy, count) of each, a bin an entry; None where a bin is empty. The answers of
            the first are counted below.
        title: For screen readers.
    """
    frame = Frame(48, 54, _WIDTH - 72, _HEIGHT - 100 - _COUNTS, (0, 1), (0, 1))
    ticks = [(place / 4, f"{25 * place} %") for place in range(5)]
    parts = frame.axes([], ticks, "", "right answers")
    parts.append(path([(frame.across(0), frame.down(0)), (frame.across(1), frame.down(1))], "dashed"))
    for number, (_, confidence, accuracy, _) in enumerate(series):
        points = [
            (frame.across(x), frame.down(y))
            for x, y in zip(confidence, accuracy, strict=True)
            if x is not None and y is not None
        ]
        parts.append(path(points, f"line s{number % 8}"))
        parts += [marker(x, y, number, f"mark s{number % 8}") for x, y in points]
    parts += _counts(frame, series[0][3], ticks)
    place = 8.0
    for number, (name, *_) in enumerate(series):
        parts.append(marker(frame.left + place, 14, number, f"mark s{number % 8}"))
        parts.append(text(frame.left + place + 10, 18, name, "name"))
        place += 26 + 6.4 * len(name)
    return svg(_WIDTH, _HEIGHT, parts, title or "reliability")


def _counts(frame: Frame, counts: Sequence[int], ticks: Sequence[tuple[float, str]]) -> list[str]:
    """Bars of how many answers are in each bin, above the axis of confidence."""
    bottom = frame.top + frame.height + 8 + _COUNTS
    most, width = max([1, *counts]), frame.width / max(1, len(counts))
    parts = []
    for place, count in enumerate(counts):
        left, height = frame.left + width * place, _COUNTS * count / most
        corners = [
            (left + 1, bottom),
            (left + 1, bottom - height),
            (left + width - 1, bottom - height),
            (left + width - 1, bottom),
        ]
        parts.append(path(corners, "bar", closed=True))
    parts.append(line(frame.left, bottom, frame.left + frame.width, bottom, "axis"))
    parts += [text(frame.across(value), bottom + 16, words, "tick", "middle") for value, words in ticks]
    parts.append(text(frame.left + frame.width / 2, bottom + 34, "confidence · bars: answers", "label", "middle"))
    return parts
