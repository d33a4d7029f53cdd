"""Fashion-MNIST: 28×28 grey pictures of clothes in 10 classes."""

from pathlib import Path
from typing import Unpack

import numpy as np

from robustlit.data.arrays import ArrayDataModule, ImageArray
from robustlit.data.base import DataSettings
from robustlit.data.download import fetch

__all__ = ["FashionMNIST"]

_CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


class FashionMNIST(ArrayDataModule):
    """60,000 + 10,000 grey pictures of clothes, 28×28, in 10 classes (Xiao, Rasul and Vollgraf 2017).

    Args:
        path: A folder with ``FashionMNIST/raw`` in it; None to download it to ``data``.
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If the files are not there or cannot be downloaded.
    """

    default_mean, default_std = (0.2860,), (0.3530,)

    def __init__(self, path: str | Path | None = None, **settings: Unpack[DataSettings]) -> None:
        super().__init__(class_names=_CLASSES, **settings)
        self.path = path

    def prepare_data(self) -> None:
        """Download what is missing."""
        self._read(train=True)

    def load_arrays(self) -> dict[str, ImageArray]:
        """Read the files."""
        return {"train": self._read(train=True), "test": self._read(train=False)}

    def _read(self, train: bool) -> ImageArray:
        from torchvision import datasets

        def build(folder: Path, download: bool) -> datasets.FashionMNIST:
            return datasets.FashionMNIST(str(folder), train=train, download=download)

        data = fetch("Fashion-MNIST", self.path, build)
        return ImageArray(data.data.numpy(), np.asarray(data.targets), f"Fashion-MNIST {'train' if train else 'test'}")
