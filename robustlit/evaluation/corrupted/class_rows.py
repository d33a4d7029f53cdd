"""Scores of every class under every corruption: a mean over classes hides that fog takes the pedestrians first."""

from collections.abc import Mapping, Sequence
from typing import Any

from robustlit.evaluation.base import Row
from robustlit.metrics.cells import CLEAN, Cell, CellScore, corruption_means, overall_mean

__all__ = ["class_keys", "class_rows"]


def class_rows(
    family: str,
    split: str,
    score: str,
    measured: Mapping[Cell, CellScore],
    cells: Sequence[Cell],
    conditions: Mapping[str, Any],
    class_names: Sequence[str],
) -> list[Row]:
    """Return the rows of the classes of one family; none where scores have no classes.

    ================================  ================================================================================
    metric                            meaning
    ================================  ================================================================================
    ``class_<score>/<class>``         mean over severities, then corruptions
    ``class_<score>/<class>/<name>``  mean over the severities of one corruption
    ================================  ================================================================================

    Conditions have the class's score on the clean images, where it was measured. A class that a cell shows nowhere
    counts for nothing in it.

    Args:
        family: Name of the family, which is the rows' test.
        split: Which test split.
        score: What was measured: "iou".
        measured: The scores, ``CLEAN`` among them where it was measured.
        cells: The cells of the family; severity 0 for conditions without severities.
        conditions: The provenance, put beside every row.
        class_names: The classes' names, in order.
    """
    found = {cell: measured[cell] for cell in cells if cell in measured and measured[cell].classes}
    n = min((one.n for one in found.values()), default=0)
    clean = measured[CLEAN].classes if CLEAN in measured else ()
    rows: list[Row] = []
    for place, name in enumerate(_names(class_names, found)):
        values = {cell: value for cell, one in found.items() if (value := one.classes[place]) is not None}
        if not values:
            continue
        facts = {**conditions, "class": name, **({"clean": clean[place]} if clean else {})}
        metric = f"class_{score}/{name}"
        rows.append(Row(family, split, metric, overall_mean(values), None, None, n, facts))
        rows += [
            Row(family, split, f"{metric}/{label}", value, None, None, n, {**facts, "under": label})
            for label, value in corruption_means(values).items()
        ]
    return rows


def class_keys(family: str, score: str, cells: Sequence[Cell], class_names: Sequence[str]) -> list[str]:
    """Return the keys ``<test>/<metric>`` that :func:`class_rows` can have; none but for masks.

    Example:
        >>> class_keys("own", "iou", [("fog", 1)], ["sky"])
        ['own/class_iou/sky', 'own/class_iou/sky/fog']
    """
    if score != "iou":
        return []
    labels = dict.fromkeys(label for label, _ in cells)
    return [
        f"{family}/class_{score}/{name}{end}" for name in class_names for end in ("", *(f"/{each}" for each in labels))
    ]


def _names(class_names: Sequence[str], found: Mapping[Cell, CellScore]) -> Sequence[str]:
    count = len(next(iter(found.values())).classes) if found else 0
    return class_names if len(class_names) == count else [str(number) for number in range(count)]
