"""Single images of a split as pictures for a report."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Part", "picture_of", "positions_where"]


class Part:
    """Some images of a split, with their own indices.

    Args:
        samples: Items as those of a data module's splits.
        positions: Which of them.
    """

    def __init__(self, samples: Any, positions: list[int]) -> None:
        self.samples, self.positions = samples, positions
        self.indices = [samples.indices[position] for position in positions]
        self.describe = samples.describe

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, key: tuple[int, int] | int) -> dict[str, Any]:
        position, epoch = key if isinstance(key, tuple) else (key, 0)
        item: dict[str, Any] = self.samples[self.positions[position], epoch]
        return item


def positions_where(samples: Any, wanted: NDArray[np.bool_]) -> list[int] | None:
    """Return the positions of a split whose class is wanted, without reading images.

    Args:
        samples: A split for single-label classification.
        wanted: bool, one a class.

    Returns:
        The positions; None where the split does not tell its classes without reading its images.
    """
    targets = getattr(samples.source, "targets", None)
    if targets is None:
        targets = getattr(samples.source, "labels", None)
    if targets is None or (isinstance(targets, np.ndarray) and targets.ndim != 1):
        return None
    return [position for position, index in enumerate(samples.indices) if wanted[int(targets[index])]]


def picture_of(samples: Any, index: int) -> NDArray[np.uint8]:
    """Return the image of an index as the model sees it, uint8 H×W×3."""
    image = np.asarray(samples[list(samples.indices).index(index)]["image"])
    if image.dtype == np.uint16:
        image = image // 257
    elif image.dtype.kind == "f":
        image = (image.clip(0, 1) * 255).round()
    image = image.astype(np.uint8)
    return image if image.shape[2] == 3 else np.repeat(image[..., :1], 3, axis=2)
