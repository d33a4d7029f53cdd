"""CIFAR-10-C and its like: one ``.npy`` a corruption, and the labels beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from robustlit.corruptions.severity import SEVERITIES
from robustlit.data.arrays import ImageArray
from robustlit.data.classes import name_classes
from robustlit.data.corrupted.base import CellKey, CorruptedSet
from robustlit.data.corrupted.provenance import read_provenance
from robustlit.data.errors import DataError

__all__ = ["LABELS", "Arrays"]

LABELS = "labels.npy"


class Arrays(CorruptedSet):
    """CIFAR-10-C, CIFAR-100-C (Hendrycks and Dietterich 2019), CIFAR-10-C-bar (Mintun et al. 2021) and shorter ones.

    ``<corruption>.npy`` is N×H×W×C uint8 with the severities one after another, mapped and not read into memory;
    ``labels.npy`` has the labels of all of them, or of one severity. There are five severities unless
    ``provenance.json`` says otherwise.

    Args:
        path: The folder.
        class_names: Names of the classes, which the files do not tell.

    Raises:
        DataError: If the labels are missing, or the lengths do not fit.
    """

    def __init__(self, path: str | Path, class_names: Sequence[str] | None = None) -> None:
        path = Path(path)
        made = read_provenance(path) or {}
        self.severities = tuple(made.get("severities") or SEVERITIES)
        files = [file for file in path.glob("*.npy") if file.name != LABELS and not file.name.startswith(".")]
        self.files = {file.stem: file for file in files}
        super().__init__(path, [(name, severity) for name in self.files for severity in self.severities])
        self._labels = _load(path / LABELS)
        self._count = self._check_lengths()
        blank = np.zeros((len(self._labels), 1, 1), np.uint8)
        self._checked = ImageArray(blank, self._labels, str(path / LABELS))
        self.task = "multilabel" if self._checked.multilabel else "classification"
        shown = self._labels.shape[1] if self._checked.multilabel else int(self._labels.max(initial=0)) + 1
        self.class_names = () if class_names is None else name_classes(None, class_names)
        self.num_classes = len(self.class_names) or shown
        self._checked.check_labels(self.num_classes)

    def read(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """Map the images of one severity."""
        name, severity = cell
        first = self.severities.index(severity or 0) * self._count
        rows = slice(first, first + self._count)
        labels = self._labels if len(self._labels) == self._count else self._labels[rows]
        return ImageArray(np.asarray(_load(self.files[name]))[rows], labels, f"{self.files[name]} severity {severity}")

    def check_classes(self, num_classes: int) -> None:
        """Raise unless a model of this many classes fits; labels alone show only how many there are at least."""
        if self.task == "multilabel" or self.class_names:
            super().check_classes(num_classes)
        self._checked.check_labels(num_classes)

    def _check_lengths(self) -> int:
        """Return the number of images of one severity."""
        lengths = {name: len(_load(self.files[name])) for name in self.names}
        first, length = next(iter(lengths.items()))
        levels = len(self.severities)
        for name, other in lengths.items():
            if other != length or other % levels or other == 0:
                raise DataError(
                    f"expected {levels} severities of equally many images in {self.files[name]}, got {other} images "
                    f"({length} in {first}.npy); try fetching the file again"
                )
        if len(self._labels) not in (length, length // levels):
            raise DataError(
                f"expected {length} labels, or {length // levels} for every severity, in {self.path / LABELS}, "
                f"got {len(self._labels)}; try the labels of this set"
            )
        return length // levels


def _load(path: Path) -> np.ndarray:
    if not path.is_file():
        raise DataError(f"expected {path.name} in {path.parent}, got no such file; try fetching the set again")
    try:
        array: np.ndarray = np.load(path, mmap_mode="r")
    except Exception as error:  # NumPy raises errors of many kinds for broken files
        raise DataError(f"expected a NumPy array in {path}, got {str(error)!r}; try fetching it again") from error
    if array.ndim == 0:
        raise DataError(f"expected an array of images or labels in {path}, got one number; try fetching it again")
    return array
