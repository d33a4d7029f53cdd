"""Some images of a split, chosen before any image is read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustlit.evaluation.passes.selection import Selection

__all__ = ["Part", "chosen_part", "positions_where"]


class Part:
    """Some images of a split, with their own indices.

    Args:
        samples: Items as those of a data module's splits.
        positions: Which of them.
    """

    def __init__(self, samples: Any, positions: Sequence[int]) -> None:
        self.samples, self.positions = samples, positions
        self.indices = [samples.indices[position] for position in positions]
        self.describe = samples.describe

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, key: tuple[int, int] | int) -> dict[str, Any]:
        position, epoch = key if isinstance(key, tuple) else (key, 0)
        item: dict[str, Any] = self.samples[self.positions[position], epoch]
        return item


def chosen_part(samples: Any, images: int | None) -> Any:
    """Return the images of a split that a budget allows, so that no others are read; the split itself where all are.

    Args:
        samples: Items as those of a data module's splits.
        images: How many, chosen by a hash of their index as :class:`Selection` does; None for all.
    """
    if images is None or images >= len(samples):
        return samples
    return Part(samples, Selection(images).positions(samples.indices))


def positions_where(samples: Any, wanted: NDArray[np.bool_]) -> list[int]:
    """Return the positions of a split whose class is wanted, without reading images where the split allows it.

    Args:
        samples: A split for single-label classification.
        wanted: bool, one a class.
    """
    targets = getattr(samples.source, "targets", None)
    if targets is None:
        targets = getattr(samples.source, "labels", None)
    if targets is None or (isinstance(targets, np.ndarray) and targets.ndim != 1):
        return [place for place in range(len(samples)) if wanted[int(samples[place]["target"])]]
    return [place for place, index in enumerate(samples.indices) if wanted[int(targets[index])]]
