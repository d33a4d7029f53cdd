"""Segmentation: ``<corruption>/<severity>/<image>`` and masks that all of them share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from robustlit.data.classes import name_classes
from robustlit.data.corrupted.base import CellKey
from robustlit.data.corrupted.pairs import TRAIN_ID_NAMES, TRAIN_ID_VOID, has_train_ids, pair_masks
from robustlit.data.corrupted.severity_folders import SeverityFolders
from robustlit.data.errors import DataError
from robustlit.data.image_files import ImageFiles

__all__ = ["MaskFolders"]


class MaskFolders(SeverityFolders):
    """Sets like Cityscapes-C (Michaelis et al. 2019): the tree of the clean images in every cell.

    A cell is ``<corruption>/<severity>/`` with the images in it or in its ``images/``. Masks are in its ``masks/``
    where it has one, else in ``masks``. A mask has the name of its image, or Cityscapes' endings: ``_leftImg8bit`` and
    ``_gtFine_labelTrainIds``.

    Args:
        path: The folder.
        masks: Folder of the masks of all cells; None for ``masks/`` in the folder.
        num_classes: Number of classes; None where names are given or the masks are Cityscapes' train ids.
        class_names: Their names.
        mask_values: Class of every mask value 0 … 255, as :class:`~robustlit.data.image_files.ImageFiles` takes it.
        ignore_index: The mask value of pixels that count for nothing.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.

    Raises:
        DataError: If folders are missing, an image has no mask, or classes and names contradict one another.
    """

    task = "segmentation"

    def __init__(
        self,
        path: str | Path,
        masks: str | Path | None = None,
        *,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        mask_values: np.ndarray | None = None,
        ignore_index: int | None = None,
        channels: int = 3,
    ) -> None:
        super().__init__(path, channels)
        self.masks = self.path / "masks" if masks is None else Path(masks)
        self.mask_values, self.ignore_index = mask_values, ignore_index
        if num_classes is None and class_names is None and has_train_ids(self._masks_of(self.cells[0])):
            self.class_names, self.ignore_index = TRAIN_ID_NAMES, TRAIN_ID_VOID
        elif num_classes is not None or class_names is not None:
            self.class_names = name_classes(num_classes, class_names)
        self.num_classes = len(self.class_names) or None

    def images(self, cell: CellKey) -> Path:
        """Return ``images/`` of a cell where it has one."""
        folder = super().images(cell)
        return folder / "images" if (folder / "images").is_dir() else folder

    def read(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """List the files of a cell and find their masks."""
        files = self.files(cell)
        masks = pair_masks(files, self.images(cell), self._masks_of(cell))
        return ImageFiles(files, masks, self.channels, self.mask_values)

    def _masks_of(self, cell: CellKey) -> Path:
        own = self.folders[cell] / "masks"
        found = own if own.is_dir() else self.masks
        if not found.is_dir():
            raise DataError(f"expected a folder of masks at {found}, got nothing there; try masks=…")
        return found
