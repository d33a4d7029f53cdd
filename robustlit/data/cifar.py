"""CIFAR-10 and CIFAR-100: 32×32 colour photographs in 10 and 100 classes."""

from pathlib import Path
from typing import ClassVar, Unpack

import numpy as np

from robustlit.data.arrays import ArrayDataModule, ImageArray
from robustlit.data.base import DataSettings
from robustlit.data.download import fetch
from robustlit.data.npz import read_npz

__all__ = ["CIFAR10", "CIFAR100"]


class CIFAR10(ArrayDataModule):
    """50,000 + 10,000 photographs, 32×32 RGB, in 10 classes (Krizhevsky 2009).

    Args:
        path: An ``.npz`` file with ``x_train y_train x_test y_test`` (or MedMNIST's names), or a folder that
            torchvision downloaded to; None to download it to ``data``.
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If the files are not there or cannot be downloaded.
    """

    default_mean, default_std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    dataset: ClassVar[str] = "CIFAR10"
    names: ClassVar[tuple[str, ...]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip

    def __init__(self, path: str | Path | None = None, **settings: Unpack[DataSettings]) -> None:
        super().__init__(class_names=self.names, **settings)
        self.path = path

    def prepare_data(self) -> None:
        """Download what is missing."""
        if self.path is None:
            self._read(train=True)

    def load_arrays(self) -> dict[str, ImageArray]:
        """Read the files."""
        if self.path is not None and str(self.path).endswith(".npz"):
            return read_npz(Path(self.path))
        return {"train": self._read(train=True), "test": self._read(train=False)}

    def _read(self, train: bool) -> ImageArray:
        from torchvision import datasets

        def build(folder: Path, download: bool) -> datasets.CIFAR10:
            return getattr(datasets, self.dataset)(str(folder), train=train, download=download)

        data = fetch(self.dataset, self.path, build)
        return ImageArray(data.data, np.asarray(data.targets), f"{self.dataset} {'train' if train else 'test'}")


class CIFAR100(CIFAR10):
    """The same number of photographs in 100 classes of 600 each (Krizhevsky 2009); the fine labels.

    Args:
        path: As for :class:`CIFAR10`.
        settings: See :class:`~robustlit.data.base.VisionDataModule`.
    """

    default_mean, default_std = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
    dataset = "CIFAR100"
    names = (
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
        "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
        "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish",
        "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
        "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange",
        "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine",
        "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk",
        "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
        "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
        "willow_tree", "wolf", "woman", "worm",
    )  # fmt: skip
