"""Differences on equal images: how much of a difference is chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "common_images", "paired_difference"]

_Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


@dataclass(frozen=True)
class Difference:
    """A difference of two means over the same images.

    Args:
        value: The first mean less the second.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Number of images.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def paired_difference(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> Difference:
    """Return the mean of the differences image by image, with its normal 95 % interval.

    Images that both models get right, or both wrong, say nothing of which is better; so the interval is narrower than
    those of the two means would suggest. For right and wrong it is McNemar's, of discordant pairs.

    Args:
        first: N scores of the images, 0 and 1 or between.
        second: Those of the same images in the same order.

    Raises:
        ValueError: If lengths differ or there is no image.

    Example:
        >>> found = paired_difference(np.array([1.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0]))
        >>> round(found.value, 2), round(found.low, 3), round(found.high, 3), found.n
        (0.5, -0.066, 1.066, 4)
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"expected scores of the same images, got {len(first)} and {len(second)}; try equal ones")
    change = np.asarray(first, float) - np.asarray(second, float)
    n, value = len(change), float(change.mean())
    error = float(change.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Difference(value, value - _Z * error, value + _Z * error, n)


def common_images(records: Sequence[Mapping[str, Any]], cells: Sequence[str]) -> list[NDArray[Any]] | None:
    """Return the mean over some cells, image by image, of the images that all records share.

    Args:
        records: Data of records of outcomes.
        cells: Which cells.

    Returns:
        N scores of each record, in ascending order of the index; None where a cell is missing or no image is shared.
    """
    if not cells or any(cell not in data for cell in cells for data in records):
        return None
    shared = reduce(partial(np.intersect1d, assume_unique=True), (data["index"] for data in records))
    if not len(shared):
        return None
    found = []
    for data in records:
        order = np.argsort(data["index"])
        places = order[np.searchsorted(data["index"], shared, sorter=order)]
        found.append(np.mean([np.asarray(data[cell], float)[places] for cell in cells], axis=0))
    return found
