"""Opening a corrupted set whose layout is seen from the folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from robustlit.core.names import lookup
from robustlit.data.corrupted.acdc import IMAGES, Acdc
from robustlit.data.corrupted.arrays import Arrays
from robustlit.data.corrupted.base import CorruptedSet
from robustlit.data.corrupted.class_folders import ClassFolders
from robustlit.data.corrupted.mask_folders import MaskFolders
from robustlit.data.corrupted.severity_folders import severity_folders
from robustlit.data.errors import DataError

__all__ = ["LAYOUTS", "open_corrupted"]

Layout = Literal["auto", "arrays", "class_folders", "mask_folders", "acdc"]
LAYOUTS = {"arrays": Arrays, "class_folders": ClassFolders, "mask_folders": MaskFolders, "acdc": Acdc}


def open_corrupted(
    path: str | Path,
    *,
    layout: Layout = "auto",
    num_classes: int | None = None,
    class_names: Sequence[str] | None = None,
    masks: str | Path | None = None,
    mask_values: np.ndarray | None = None,
    ignore_index: int | None = None,
    split: str = "val",
    channels: int = 3,
) -> CorruptedSet:
    """Open a published corrupted set, or one that ``robustlit corrupt`` wrote.

    Args:
        path: The folder.
        layout: "arrays" (CIFAR-10-C), "class_folders" (ImageNet-C), "mask_folders" (Cityscapes-C), "acdc", or "auto" to
            see it from the folder.
        num_classes: Number of classes of the model; sets of other classes are an error.
        class_names: Names of the classes, for arrays and masks; class folders bring theirs.
        masks: Folder of the masks of "mask_folders"; None for ``masks/`` in the folder.
        mask_values: Class of every mask value 0 … 255 of "mask_folders"; None where the values are the classes.
        ignore_index: Mask value of "mask_folders" that counts for nothing.
        split: The split of "acdc".
        channels: 1 for grey or 3 for colour; image files of the other kind are converted.

    Raises:
        DataError: If the folder is not of the layout, or the classes do not fit.
        ValueError: If there is no such layout.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"expected a folder at {folder}, got nothing there; try another path")
    kind = lookup("layout", _seen(folder, masks) if layout == "auto" else layout, LAYOUTS)
    found: CorruptedSet
    if kind is Arrays:
        found = Arrays(folder, class_names)
    elif kind is Acdc:
        found = Acdc(folder, split, channels)
    elif kind is ClassFolders:
        found = ClassFolders(folder, channels)
    else:
        found = MaskFolders(
            folder,
            masks,
            num_classes=num_classes,
            class_names=class_names,
            mask_values=mask_values,
            ignore_index=ignore_index,
            channels=channels,
        )
    if num_classes is not None:
        found.check_classes(num_classes)
    return found


def _seen(folder: Path, masks: str | Path | None) -> str:
    if next(folder.glob("*.npy"), None) is not None:
        return "arrays"
    if (folder / IMAGES).is_dir():
        return "acdc"
    if masks is not None or (folder / "masks").is_dir():
        return "mask_folders"
    cells = severity_folders(folder)
    if not cells:
        raise DataError(
            f"expected <corruption>.npy files, <corruption>/<severity> folders or {IMAGES}/ in {folder}, got none of "
            "them; try another path"
        )
    first = next(iter(cells.values()))
    return "mask_folders" if all((first / name).is_dir() for name in ("images", "masks")) else "class_folders"
