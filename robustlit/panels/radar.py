"""The profile of a model: how much every corruption takes."""

import math
from collections import Counter
from collections.abc import Mapping

from robustlit.families import by_family
from robustlit.panels.canvas import Canvas, Point
from robustlit.panels.colors import LINES
from robustlit.panels.grid import titled
from robustlit.panels.text import GREY, Color, Picture, text_width

__all__ = ["radar"]

_WIDTH, _HEIGHT, _RADIUS = 348, 276, 106  # pixels
_SIZE = 12
_RULE: Color = (222, 224, 228)
_FILL = LINES[0]


def radar(scores: Mapping[str, float], clean: float, title: str = "", note: str = "") -> Picture:
    """Draw a spoke a corruption, in the order of their families; the dashed circle is the clean score.

    The middle is 0 and the outer ring 100 % in every picture; every spoke has its percentage beside its name.

    Args:
        scores: Mean score in [0, 1] of every corruption; at least three.
        clean: Score without corruption.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture, about 350 pixels wide.

    Raises:
        ValueError: If there are fewer than three corruptions.
    """
    if len(scores) < 3:
        raise ValueError(f"expected at least 3 corruptions, got {len(scores)}; try heat_map")
    labels = [label for names in by_family(scores).values() for label in names]
    canvas = Canvas(_WIDTH, _HEIGHT)
    turns = [(place + 0.5) / len(labels) for place in range(len(labels))]
    for ring in (0.25, 0.5, 0.75, 1.0):
        canvas.line(_ring(ring, turns), _RULE)
    for turn in turns:
        canvas.line([_at(0, turn), _at(1, turn)], _RULE)
    values = [0.0 if math.isnan(scores[label]) else min(1.0, max(0.0, scores[label])) for label in labels]
    profile = [_at(value, turn) for value, turn in zip(values, turns, strict=True)]
    canvas.area(profile, _FILL, 0.22)
    canvas.line([*profile, profile[0]], _FILL, 2)
    for point in profile:
        canvas.disc(point, 2.5, _FILL)
    if not math.isnan(clean):
        canvas.line(_ring(clean, [step / 96 for step in range(96)]), GREY, dashed=True)
    for name, label, turn in zip(_short(labels), labels, turns, strict=True):
        _write(canvas, f"{name} {100 * scores[label]:.0f}", turn)
    return titled(title, canvas.picture(), note=note or f"dashed: clean {100 * clean:.0f}")


def _write(canvas: Canvas, text: str, turn: float) -> None:
    """Write beside the end of a spoke, in two lines where one would reach into the drawing."""
    x, y = _at(1 + 8 / _RADIUS, turn)
    rise, side = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    align = 0.5 if abs(side) < 0.01 else 0.0 if side > 0 else 1.0
    room = x if side < 0 else _WIDTH - x
    lines = [text] if text_width(text, _SIZE) + 6 < room else text.split(" ", 1)
    top = y - 5 * rise - _SIZE * (len(lines) - 1) / 2
    for place, line in enumerate(lines):
        canvas.text((x, top + (_SIZE + 1) * place), line, size=_SIZE, align=align)


def _at(share: float, turn: float) -> Point:
    """Return the point at this share of the radius, this part of a turn from the top, clockwise."""
    angle = 2 * math.pi * turn
    return _WIDTH / 2 + share * _RADIUS * math.sin(angle), _HEIGHT / 2 - share * _RADIUS * math.cos(angle)


def _ring(share: float, turns: list[float]) -> list[Point]:
    return [_at(share, turn) for turn in (*turns, turns[0])]


def _short(labels: list[str]) -> list[str]:
    """Return the first words of labels, and all words where the first are the same.

    Example:
        >>> _short(["gaussian_noise", "gaussian_blur", "elastic_transform"])
        ['gaussian noise', 'gaussian blur', 'elastic']
    """
    firsts = [label.split("_")[0] for label in labels]
    often = Counter(firsts)
    return [
        first if often[first] == 1 else label.replace("_", " ") for first, label in zip(firsts, labels, strict=True)
    ]
