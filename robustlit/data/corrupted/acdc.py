"""ACDC: real photographs in fog, at night, in rain and in snow, without severities."""

from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from robustlit.data.corrupted.base import CellKey, CorruptedSet
from robustlit.data.corrupted.pairs import TRAIN_ID_NAMES, TRAIN_ID_VOID, pair_masks
from robustlit.data.corrupted.severity_folders import subfolders
from robustlit.data.errors import DataError
from robustlit.data.image_files import ImageFiles, find_images

__all__ = ["Acdc"]

IMAGES, MASKS = "rgb_anon", "gt"


class Acdc(CorruptedSet):
    """Adverse Conditions Dataset with Correspondences (Sakaridis et al., ICCV 2021), in Cityscapes' 19 classes.

    ``rgb_anon/<condition>/<split>/…_rgb_anon.png`` with ``gt/<condition>/<split>/…_gt_labelTrainIds.png``; every folder
    of that form is a condition.

    Args:
        path: The folder.
        split: "train" or "val"; the masks of "test" are not published.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.

    Raises:
        DataError: If there are no such folders, or an image has no mask.
    """

    task = "segmentation"
    class_names, num_classes, ignore_index = TRAIN_ID_NAMES, len(TRAIN_ID_NAMES), TRAIN_ID_VOID

    def __init__(self, path: str | Path, split: str = "val", channels: int = 3) -> None:
        path = Path(path)
        if not (path / IMAGES).is_dir() or not (path / MASKS).is_dir():
            raise DataError(f"expected the folders {IMAGES} and {MASKS} in {path}, got not both; try another path")
        self.split, self.channels = split, channels
        conditions = [folder.name for folder in subfolders(path / IMAGES) if (folder / split).is_dir()]
        if not conditions:
            raise DataError(f"expected a split {split!r} below {path / IMAGES}, got none; try split='val'")
        super().__init__(path, [(name, None) for name in conditions])

    def read(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """List the files of a condition and find their masks."""
        images, masks = (self.path / kind / cell[0] / self.split for kind in (IMAGES, MASKS))
        files = find_images(images)
        return ImageFiles(files, [*pair_masks(files, images, masks)], self.channels)
