"""Pascal VOC segmentation: 20 kinds of things and background."""

from pathlib import Path
from typing import Unpack

from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.download import fetch
from robustlit.data.image_files import ImageFiles
from robustlit.data.split import Splits

__all__ = ["VOC"]


class VOC(VisionDataModule):
    """1,464 + 1,449 photographs with masks of 21 classes; object borders are 255 and ignored (Everingham et al. 2010).

    Args:
        path: A folder with ``VOCdevkit`` in it; None to download it to ``data``.
        year: "2007" … "2012".
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If the files are not there or cannot be downloaded.
    """

    task = "segmentation"
    class_names = (
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "dining table", "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
    )  # fmt: skip
    num_classes = 21
    ignore_index = 255

    def __init__(self, path: str | Path | None = None, *, year: str = "2012", **settings: Unpack[DataSettings]) -> None:
        super().__init__(**settings)
        self.path, self.year = path, str(year)

    def prepare_data(self) -> None:
        """Download what is missing."""
        self._files("train")

    def load(self) -> Splits:
        """List the files of the official training and validation splits; the test split has no public masks."""
        return Splits(self._files("train"), self._files("val"))

    def _files(self, split: str) -> ImageFiles:
        from torchvision import datasets

        def build(folder: Path, download: bool) -> datasets.VOCSegmentation:
            return datasets.VOCSegmentation(str(folder), year=self.year, image_set=split, download=download)

        data = fetch("Pascal VOC", self.path, build)
        return ImageFiles([Path(image) for image in data.images], [Path(mask) for mask in data.masks])
