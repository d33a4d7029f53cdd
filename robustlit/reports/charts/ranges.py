"""Figures with their intervals, one below the other: drops, differences, slices."""

from collections.abc import Sequence
from dataclasses import dataclass

from robustlit.reports.charts.svg import Frame, circle, line, nice_ticks, svg, text, text_length

__all__ = ["Range", "range_chart"]

_WIDTH, _ROW = 440.0, 22.0


@dataclass(frozen=True)
class Range:
    """A figure.

    Args:
        label: What it is of.
        value: The figure.
        low: Lower end of its interval.
        high: Upper end.
        words: What is written at the right.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    words: str = ""


def range_chart(
    ranges: Sequence[Range],
    *,
    label: str,
    reference: float | None = None,
    signed: bool = False,
    title: str = "",
) -> str:
    """Draw a dot and the interval of every figure.

    Args:
        ranges: The figures; at least one.
        label: What the axis is.
        reference: A value that is marked by a line: the score of clean images, or no difference.
        signed: Whether the figures are differences.
        title: For screen readers.
    """
    names = min(226.0, 12 + max(text_length(each.label) for each in ranges))
    room = 12 + max(text_length(each.words) for each in ranges)
    ends = [end for each in ranges for end in (each.low, each.high, each.value) if end is not None]
    ends += [] if reference is None else [reference]
    low, high = (min(ends), max(ends)) if signed else (0.0, 1.0)
    margin = 0.05 * (high - low) if signed else 0.0
    height = _ROW * len(ranges)
    frame = Frame(names, 8, _WIDTH - names - room, height, (low - margin, high + margin), (0, 1))
    ticks = [(value, f"{100 * value:+.0f}" if signed else f"{100 * value:.0f} %") for value in nice_ticks(*frame.x, 4)]
    parts = [line(frame.across(value), 8, frame.across(value), 8 + height, "grid") for value, _ in ticks]
    parts += frame.axes([(value, words.replace("-", "−")) for value, words in ticks], [], label, "")
    if reference is not None:
        parts.append(line(frame.across(reference), 4, frame.across(reference), 8 + height, "dashed"))
    for number, each in enumerate(ranges):
        y = 8 + _ROW * (number + 0.5)
        parts.append(text(names - 10, y + 4, _short(each.label, names - 12), "name", "end"))
        if each.low is not None and each.high is not None:
            parts.append(line(frame.across(each.low), y, frame.across(each.high), y, "whisker"))
        parts.append(circle(frame.across(each.value), y, 4, "mark s0"))
        parts.append(text(_WIDTH - room + 10, y + 4, each.words, "tick"))
    return svg(_WIDTH, height + 56, parts, title or label)


def _short(words: str, room: float) -> str:
    if text_length(words) <= room:
        return words
    return words[: max(1, int(room / text_length("x")) - 1)] + "…"
