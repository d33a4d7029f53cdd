"""The part about classes: which of them each kind of corruption takes."""

from collections.abc import Iterator

from robustlit.evaluation.base import Row
from robustlit.families import by_family
from robustlit.reports.document import Heat, Section
from robustlit.reports.numbers import words
from robustlit.reports.view import View

__all__ = ["classes"]


def classes(view: View) -> Iterator[Section]:
    """Return a heat map of classes by kind of corruption, where tests scored classes."""
    cells: dict[str, dict[str, Row]] = {}
    for row in view.own:
        if "class" in row.conditions and "under" in row.conditions:
            cells.setdefault(str(row.conditions["class"]), {})[str(row.conditions["under"])] = row
    if not cells:
        return
    kinds = by_family(dict.fromkeys(label for own in cells.values() for label in own))
    lines = []
    for name, own in cells.items():
        clean = next(iter(own.values())).conditions.get("clean")
        means = [_mean([own[label].value for label in labels if label in own]) for labels in kinds.values()]
        lines.append((name, [clean, *means, _mean([row.value for row in own.values()])]))
    lines.sort(key=lambda line: line[1][-1] or 0.0)
    n = min(row.n for own in cells.values() for row in own.values())
    score = "IoU" if view.score == "iou" else view.score_words.capitalize()
    caption = (
        f"{score} of every class in percent, mean over the corruptions of a kind and its severities, the lowest first; "
        f"n = {n:,} images. Single corruptions are in the CSV."
    )
    header = ["clean", *(words(kind) for kind in kinds), "mean"]
    yield Section("Classes", [Heat(header, [("", lines)], caption)])


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
