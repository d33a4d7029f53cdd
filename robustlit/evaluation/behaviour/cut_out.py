"""Samples with the mask of their object, and with the background of another image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from robustlit.core.random import mix
from robustlit.data.errors import DataError
from robustlit.data.image_files import read_mask

__all__ = ["CutOut", "MaskFiles", "without_object"]

_TRIES = 8  # other images that are looked at, to find one of another class


class MaskFiles(Dataset[dict[str, Any]]):
    """Image files with masks of their objects beside them: a ``mask`` in every item, 1 on the object.

    Args:
        images: The image files.
        masks: Folder of the masks, with the same tree and names as that of the images.

    Raises:
        DataError: If an image has no mask, or one of another size.
    """

    def __init__(self, images: Any, masks: str | Path) -> None:
        from robustlit.data.corrupted.pairs import pair_masks

        if not hasattr(images, "images"):
            raise DataError("expected masks in a folder for data of image files, got other data; try masks=null")
        self.images, self.describe = images, images.describe
        files = [Path(file) for file in images.images]
        self.targets = images.targets
        self.masks = pair_masks(files, _root(files), Path(masks))

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = dict(self.images[index])
        mask = read_mask(self.masks[index])
        if mask.shape != item["image"].shape[:2]:
            raise DataError(f"expected a mask of the size of {self.describe(index)}, got {mask.shape}; try resizing it")
        return {**item, "mask": (mask > 0).astype(np.uint8)}


class CutOut(Dataset[dict[str, Any]]):
    """Samples with a mask, each with two backgrounds: its own without the object, and that of another image.

    The other image is drawn by the seed and the sample's index, of another class where there is one among the first
    draws. What an object hid is filled in from its surroundings (Telea, Journal of Graphics Tools 2004).

    Args:
        samples: A split whose items carry ``mask``, or masks as targets.
        background: Classes of target masks that are background.
        ignore_index: Target of pixels that count for nothing; they stay with the object.
        seed: Which backgrounds.

    Raises:
        DataError: If the items have no mask.

    Returns:
        Items with ``object`` (uint8 H×W), ``behind`` and ``elsewhere`` (uint8 or uint16 C×H×W, as the image).
    """

    def __init__(
        self, samples: Any, background: Sequence[int] = (0,), ignore_index: int | None = None, seed: int = 0
    ) -> None:
        self.samples, self.background, self.ignore_index = samples, tuple(background), ignore_index
        self.seed = mix(seed, "background")
        self.indices, self.describe = samples.indices, samples.describe
        item = samples[0]
        if "mask" not in item and np.ndim(item["target"]) != 2:
            raise DataError(
                "expected samples with the mask of their object, got none; try data=shapes, masks=FOLDER, or data for "
                "segmentation"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: tuple[int, int] | int) -> dict[str, Any]:
        position, epoch = key if isinstance(key, tuple) else (key, 0)
        item = self.samples[position, epoch]
        image, mask = item["image"], self._object(item)
        other = self._other(position, item, epoch)
        elsewhere = without_object(other["image"], self._object(other))
        if elsewhere.shape != image.shape:
            raise DataError(
                f"expected images of one size, got {self.describe(item['index'])} and "
                f"{self.describe(other['index'])}; try a Resize among the evaluation transforms"
            )
        behind = without_object(image, mask)
        backgrounds = {"behind": behind.transpose(2, 0, 1).copy(), "elsewhere": elsewhere.transpose(2, 0, 1).copy()}
        return {**item, "object": mask, **backgrounds}

    def _object(self, item: dict[str, Any]) -> NDArray[np.uint8]:
        if "mask" in item:
            return (np.asarray(item["mask"]) > 0).astype(np.uint8)
        found: NDArray[np.uint8] = (~np.isin(item["target"], self.background)).astype(np.uint8)
        return found

    def _other(self, position: int, item: dict[str, Any], epoch: int) -> dict[str, Any]:
        """Draw another sample."""
        count = len(self.samples)
        chosen: dict[str, Any] = item
        for turn in range(_TRIES if count > 1 else 0):
            place = mix(self.seed, int(item["index"]), turn) % (count - 1)
            chosen = self.samples[place + (place >= position), epoch]
            if np.ndim(item["target"]) or chosen["target"] != item["target"]:
                break
        return chosen


def without_object(image: NDArray[Any], mask: NDArray[np.uint8]) -> NDArray[Any]:
    """Fill the pixels of an object from what surrounds it.

    Args:
        image: uint8 or uint16 H×W×C.
        mask: uint8 H×W, 1 on the object.
    """
    import cv2

    if not mask.any() or mask.all():
        return image
    hole = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    if image.dtype == np.uint8 and image.shape[2] == 3:
        filled: NDArray[Any] = cv2.inpaint(np.ascontiguousarray(image), hole, 3, cv2.INPAINT_TELEA)
        return filled
    planes = [
        cv2.inpaint(np.ascontiguousarray(plane), hole, 3, cv2.INPAINT_TELEA) for plane in np.moveaxis(image, 2, 0)
    ]
    return np.stack(planes, axis=2)


def _root(files: Sequence[Path]) -> Path:
    """The folder that holds the class folders of image files."""
    import os

    parents = {file.parent for file in files}
    return Path(os.path.commonpath(parents)) if len(parents) > 1 else next(iter(parents)).parent
