"""How a score falls as corruptions grow."""

import math
from collections.abc import Mapping, Sequence

from robustlit.families import by_family
from robustlit.panels.canvas import Canvas
from robustlit.panels.colors import LINES
from robustlit.panels.grid import below, titled
from robustlit.panels.text import GREY, Color, Picture

__all__ = ["severity_curves"]

_WIDTH, _LEFT, _RIGHT = 348, 30, 190  # pixels: of a chart, and where its lines begin and end
_TOP, _BOTTOM = 26, 8
_LABEL = 15  # pixels between the labels of two lines
_RULE: Color = (226, 228, 231)


def severity_curves(
    scores: Mapping[str, Mapping[int | float, float]], clean: float, title: str = "", note: str = ""
) -> Picture:
    """Draw a chart a family, a line a corruption: scores over severities, from the clean one at 0.

    Every line is named at its end, with the percentage there. The vertical axis is 0 to 100 % in every picture.

    Args:
        scores: Scores in [0, 1] by corruption and severity.
        clean: Score without corruption; NaN where it is not known, and then lines begin at severity 1.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture, about 350 pixels wide.

    Raises:
        ValueError: If there is no score.
    """
    families = by_family(label for label, row in scores.items() if row)
    if not families:
        raise ValueError("expected the scores of at least one cell, got none; try a larger budget")
    charts = [
        _chart(
            family,
            {label: scores[label] for label in labels},
            clean,
            first=place == 0,
            last=place == len(families) - 1,
        )
        for place, (family, labels) in enumerate(families.items())
    ]
    return titled(title, below(*charts), note=note)


def _chart(
    family: str, rows: Mapping[str, Mapping[int | float, float]], clean: float, *, first: bool, last: bool
) -> Picture:
    height = max(74, _LABEL * len(rows))
    base = _TOP + height
    canvas = Canvas(_WIDTH, base + (30 if last else _BOTTOM))

    def across(severity: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * severity / 5

    def up(score: float) -> float:
        return base - height * min(1.0, max(0.0, score))

    canvas.text((_LEFT, 9), family)
    known = not math.isnan(clean)
    if first and known:
        canvas.text((_RIGHT + 7, 9), f"{100 * clean:.0f} clean (dashed)", GREY)
    for share in (0, 0.5, 1):
        canvas.line([(_LEFT, up(share)), (_RIGHT, up(share))], _RULE)
        canvas.text((_LEFT - 5, up(share)), f"{100 * share:.0f}", GREY, size=11, align=1)
    start = [(_LEFT, up(clean))] if known else []
    if known:
        canvas.line([*start, (_RIGHT, up(clean))], GREY, dashed=True)
    ends = []
    for place, (label, row) in enumerate(rows.items()):
        color, dashed = LINES[place % len(LINES)], place >= len(LINES)
        points = [(across(s), up(row[s])) for s in sorted(row) if not math.isnan(row[s])]
        canvas.line([*start, *points], color, 2, dashed=dashed)
        for point in points:
            canvas.disc(point, 2.5, color)
        final = row[max(row)]
        ends.append((points[-1][1] if points else base, f"{100 * final:.0f} {label.replace('_', ' ')}", color))
    ends.sort()
    for height_of, (_, text, color) in zip(_apart([end[0] for end in ends], _TOP, base), ends, strict=True):
        canvas.text((_RIGHT + 7, height_of), text, color)
    if last:
        for severity in range(1, 6):
            canvas.text((across(severity), base + 14), str(severity), GREY, size=11, align=0.5)
        canvas.text((_LEFT, base + 14), "clean", GREY, size=11, align=0.5)
        canvas.text((_RIGHT + 7, base + 14), "severity", GREY, size=11)
    return canvas.picture()


def _apart(heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Move sorted heights as little as needed for labels not to touch, within the chart where they fit.

    Example:
        >>> _apart([50, 52, 90], 0, 100)
        [50, 65, 90]
    """
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + _LABEL) if placed else height)
    limit = bottom
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = min(placed[place], limit)
        limit = placed[place] - _LABEL
    return placed if placed[0] >= top else [top + _LABEL * place for place in range(len(placed))]
