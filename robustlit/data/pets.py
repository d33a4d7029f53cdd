"""Oxford-IIIT Pet: cats and dogs of 37 breeds, with masks."""

from pathlib import Path
from typing import Literal, Unpack

import numpy as np

from robustlit.core.names import lookup
from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.download import fetch
from robustlit.data.image_files import ImageFiles
from robustlit.data.split import Splits

__all__ = ["Pets"]

_CLASSES = {"binary": ("background", "pet"), "trimap": ("background", "pet", "border"), "breed": ()}
_IGNORE = 255
_BORDER = {"binary": _IGNORE, "trimap": 2}


class Pets(VisionDataModule):
    """3,680 + 3,669 photographs of cats and dogs, of various sizes (Parkhi et al. 2012, "Cats and Dogs").

    Args:
        path: A folder with ``oxford-iiit-pet`` in it; None to download it to ``data``.
        target: What to predict: "binary", a mask of background and pet with the border ignored; "trimap", a mask of
            background, pet and border; "breed", one of 37 classes.
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If the files are not there or cannot be downloaded.
        ValueError: If there is no such target.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        target: Literal["binary", "trimap", "breed"] = "trimap",
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(**settings)
        self.path, self.target = path, target
        self.class_names = lookup("pets target", target, _CLASSES)
        self.num_classes = len(self.class_names)
        self.task = "classification" if target == "breed" else "segmentation"
        self.ignore_index = _IGNORE if target == "binary" else None

    def prepare_data(self) -> None:
        """Download what is missing."""
        self._root()

    def load(self) -> Splits:
        """List the files, by the lists that come with the set."""
        root = self._root()
        if self.target == "breed":
            self.class_names = tuple(sorted({_breed(name) for name in _names(root, "trainval")}))
            self.num_classes = len(self.class_names)
        return Splits(self._files(root, "trainval"), None, {"test": self._files(root, "test")})

    def _root(self) -> Path:
        from torchvision import datasets

        def build(folder: Path, download: bool) -> Path:
            datasets.OxfordIIITPet(str(folder), download=download)
            return folder / "oxford-iiit-pet"

        root: Path = fetch("Oxford-IIIT Pet", self.path, build)
        return root

    def _files(self, root: Path, split: str) -> ImageFiles:
        names = _names(root, split)
        images = [root / "images" / f"{name}.jpg" for name in names]
        if self.target == "breed":
            return ImageFiles(images, [self.class_names.index(_breed(name)) for name in names])
        masks = [root / "annotations" / "trimaps" / f"{name}.png" for name in names]
        return ImageFiles(images, masks, mask_values=_mask_values(_BORDER[self.target]))


def _names(root: Path, split: str) -> list[str]:
    """Read the names of a split's images; a line is ``Abyssinian_100 1 1 1``."""
    lines = (root / "annotations" / f"{split}.txt").read_text().splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


def _breed(name: str) -> str:
    return name.rpartition("_")[0]


def _mask_values(border: int) -> np.ndarray:
    """Class index of each trimap value: 1 is the pet, 2 the background, 3 the border."""
    values = np.zeros(256, dtype=np.uint8)
    values[[1, 2, 3]] = 1, 0, border
    return values
