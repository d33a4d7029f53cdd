"""Data sets that lie in memory: one array of images and one of labels a split."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import numpy as np
from torch.utils.data import Dataset

from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.classes import name_classes
from robustlit.data.errors import DataError
from robustlit.data.split import Splits

__all__ = ["ArrayDataModule", "ImageArray"]


class ImageArray(Dataset[dict[str, Any]]):
    """Images and labels in two arrays.

    Args:
        images: N×H×W or N×H×W×C with 1 … 4 channels, uint8 or uint16.
        labels: N or N×1 class indices, or N×K labels of 0 and 1 (multi-label).
        name: What the arrays are called, for errors.

    Raises:
        DataError: If the arrays do not have these shapes and types.

    Example:
        >>> pair = ImageArray(np.zeros((2, 4, 4), np.uint8), np.array([[0], [1]]), "train")
        >>> pair[1]["image"].shape, pair[1]["target"], pair.multilabel
        ((4, 4, 1), 1, False)
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, name: str) -> None:
        if images.ndim not in (3, 4) or images.dtype not in (np.uint8, np.uint16):
            raise DataError(
                f"expected N×H×W(×C) images of uint8 or uint16 in {name}, got {images.dtype} of shape {images.shape}; "
                "try converting them"
            )
        if images.ndim == 4 and not 1 <= images.shape[3] <= 4:
            raise DataError(
                f"expected 1 … 4 channels on the last axis of {name}, got shape {images.shape}; "
                "try transposing to N×H×W×C"
            )
        if labels.ndim not in (1, 2) or len(images) != len(labels) or labels.dtype.kind not in "iub":
            raise DataError(
                f"expected {len(images)} integer labels in {name}, got {labels.dtype} of shape {labels.shape}; "
                "try one class index, or K labels of 0 and 1, for every image"
            )
        self.images = images[..., None] if images.ndim == 3 else images
        self.labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        self.multilabel = self.labels.ndim == 2
        self.name = name

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        label = self.labels[index]
        return {"image": self.images[index], "target": label.astype(np.float32) if self.multilabel else int(label)}

    def describe(self, index: int) -> str:
        """Return the place of an image: the array's name and the row."""
        return f"{self.name}[{index}]"

    def check_labels(self, num_classes: int) -> None:
        """Raise a DataError for the first label that is out of range."""
        limit = 2 if self.multilabel else num_classes
        wrong = np.argwhere((self.labels < 0) | (self.labels >= limit))
        if len(wrong):
            row = int(wrong[0][0])
            raise DataError(
                f"expected labels 0 … {limit - 1} in {self.name}, got {self.labels[row]} at row {row}; "
                "try another num_classes"
            )


class ArrayDataModule(VisionDataModule):
    """A classification set in memory; a subclass reads its arrays in :meth:`load_arrays`.

    Args:
        num_classes: Number of classes; None for what the labels show.
        class_names: Their names; None for "0", "1", …
        settings: See :class:`~robustlit.data.base.VisionDataModule`.
    """

    def __init__(
        self,
        *,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(**settings)
        self._classes, self._names = num_classes, class_names

    @abstractmethod
    def load_arrays(self) -> dict[str, ImageArray]:
        """Return the arrays of "train" and, where the set has them, "val" and "test"."""

    def load(self) -> Splits:
        """Read the arrays, and learn task, classes and channels from them."""
        arrays = self.load_arrays()
        train = arrays["train"]
        self.task = "multilabel" if train.multilabel else "classification"
        count = self._classes or len(self._names or ()) or _count_classes(arrays.values())
        self.class_names = name_classes(count, self._names)
        self.num_classes = len(self.class_names)
        self.channels = train.images.shape[3]
        for array in arrays.values():
            array.check_labels(self.num_classes)
        return Splits(train, arrays.get("val"), {"test": arrays["test"]} if "test" in arrays else {})


def _count_classes(arrays: Iterable[ImageArray]) -> int:
    return max(a.labels.shape[1] if a.multilabel else int(a.labels.max(initial=0)) + 1 for a in arrays)
