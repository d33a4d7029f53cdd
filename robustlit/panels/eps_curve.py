"""How a score falls as an attack may change more."""

import math
from collections.abc import Callable, Mapping, Sequence

from robustlit.attacks.lengths import eps_words
from robustlit.panels.canvas import Canvas
from robustlit.panels.colors import LINES
from robustlit.panels.grid import titled
from robustlit.panels.text import GREY, Color, Picture

__all__ = ["eps_curve"]

_WIDTH, _LEFT, _RIGHT, _TOP, _HEIGHT = 348, 34, 318, 22, 170  # pixels
_RULE: Color = (226, 228, 231)


def eps_curve(
    curves: Mapping[str, Mapping[float, float]], *, unit: str = "eps", title: str = "", note: str = ""
) -> Picture:
    """Draw a score over eps, a line a curve; the first is the one that counts and has its percentages written beside.

    Both axes begin at 0, the vertical one ends at 100 %.

    Args:
        curves: Scores in [0, 1] by eps in [0, 1] pixels, 0 being the clean images.
        unit: Name of the horizontal axis.
        title: The line at the top.
        note: The grey line below it; the attack with norm and steps belongs here.

    Returns:
        One picture, about 350 pixels wide.

    Raises:
        ValueError: If there is no score.
    """
    largest = max((eps for curve in curves.values() for eps in curve), default=0.0)
    if largest <= 0:
        raise ValueError("expected scores for some eps above 0, got none; try eps_curve=(2/255, 4/255, 8/255)")
    base = _TOP + _HEIGHT
    canvas = Canvas(_WIDTH, base + 30 + 16 * (len(curves) > 1))

    def across(eps: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * eps / largest

    def up(score: float) -> float:
        return base - _HEIGHT * min(1.0, max(0.0, score))

    for share in (0, 0.25, 0.5, 0.75, 1):
        canvas.line([(_LEFT, up(share)), (_RIGHT, up(share))], _RULE)
        canvas.text((_LEFT - 5, up(share)), f"{100 * share:.0f}", GREY, size=11, align=1)
    for place, (name, curve) in reversed(list(enumerate(curves.items()))):
        color, main = LINES[place % len(LINES)] if place == 0 else GREY, place == 0
        known = [(across(eps), up(curve[eps]), curve[eps]) for eps in sorted(curve) if not math.isnan(curve[eps])]
        canvas.line([(x, y) for x, y, _ in known], color, 2.5 if main else 1, dashed=not main)
        for x, y, score in known if main else []:
            canvas.disc((x, y), 3, color)
            canvas.text((x + 2, y - 11), f"{100 * score:.0f}", color, size=12)
        if len(curves) > 1:
            canvas.text(
                (_LEFT + 150 * place, base + 36), f"{'dashed: ' if not main else 'line: '}{name}", color, size=12
            )
    for eps in _apart(sorted({eps for curve in curves.values() for eps in curve}), across):
        canvas.text((across(eps), base + 9), eps_words(eps), GREY, size=11, align=0.5)
    canvas.text(((_LEFT + _RIGHT) / 2, base + 23), unit, GREY, size=11, align=0.5)
    return titled(title, canvas.picture(), note=note)


def _apart(marks: Sequence[float], across: Callable[[float], float]) -> list[float]:
    """Return the marks that have room for their label, the last one first of all."""
    kept: list[float] = []
    for mark in reversed(marks):
        if all(abs(across(mark) - across(other)) >= 36 for other in kept):
            kept.append(mark)
    return kept
