"""Cells: one corruption at one severity, and the means over them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from robustlit.core.names import unknown_name

__all__ = ["CLEAN", "Cell", "CellScore", "check_cells", "corruption_means", "overall_mean", "place_of"]

Cell: TypeAlias = tuple[str, int | float]

CLEAN: Cell = ("clean", 0)  # the uncorrupted images; in no mean


class CellScore(NamedTuple):
    """What was measured in one cell.

    Args:
        score: In [0, 1].
        n: Number of images.
        low: Lower end of the score's 95 % interval.
        high: Upper end.
        calibration_error: In [0, 1]; NaN where it was not measured.
        classes: Of masks, the score of every class; None where it is neither true nor predicted.
    """

    score: float
    n: int
    low: float
    high: float
    calibration_error: float = math.nan
    classes: tuple[float | None, ...] = ()


def check_cells(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells as a tuple.

    Raises:
        ValueError: If there is none, or one twice.
    """
    unique = tuple(dict.fromkeys(cells))
    if not unique or len(unique) != len(cells):
        raise ValueError(f"expected cells that differ, got {len(cells)} with {len(unique)} different; try CLEAN alone")
    return unique


def place_of(cell: Cell, places: Mapping[Cell, int]) -> int:
    """Return the place of a cell among those of a metric.

    Raises:
        ValueError: If it is not one of them.
    """
    place = places.get(cell)
    if place is None:
        raise unknown_name("cell of this metric", _written(cell), map(_written, places))
    return place


def corruption_means(values: Mapping[Cell, float]) -> dict[str, float]:
    """Return the mean over the severities of every corruption.

    Published means are over whole severities, so severities between them are left out, as is the clean cell.

    Example:
        >>> corruption_means({("fog", 1): 0.8, ("fog", 2): 0.6, ("fog", 2.5): 0.1, CLEAN: 0.9})
        {'fog': 0.7}
    """
    found: dict[str, list[float]] = {}
    for (label, severity), value in values.items():
        if severity == int(severity) and label != CLEAN[0]:
            found.setdefault(label, []).append(value)
    return {label: math.fsum(each) / len(each) for label, each in found.items()}


def overall_mean(values: Mapping[Cell, float]) -> float:
    """Return the mean over corruptions of the mean over their severities; NaN where there is none.

    Example:
        >>> overall_mean({("fog", 1): 0.25, ("fog", 2): 0.75, ("snow", 1): 1.0})
        0.75
    """
    means = corruption_means(values)
    return math.fsum(means.values()) / len(means) if means else math.nan


def _written(cell: Cell) -> str:
    return f"{cell[0]} {cell[1]}"
