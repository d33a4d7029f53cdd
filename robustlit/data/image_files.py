"""Reading image and mask files by Pillow into arrays of a known type and number of channels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch.utils.data import Dataset

from robustlit.data.errors import DataError, UnreadableImageError

__all__ = ["ImageFiles", "find_images", "read_image", "read_mask"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}


class ImageFiles(Dataset[dict[str, Any]]):
    """Images in files, each with a target that is given or read from a mask file.

    Args:
        images: The image files.
        targets: A class index, a K-vector or the mask file of every image.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.
        mask_values: Class index of every value 0 … 255 of the mask files (an array of 256 integers, -1 for a value that
            must not occur), where the two differ.
    """

    def __init__(
        self,
        images: Sequence[Path],
        targets: Sequence[Any],
        channels: int = 3,
        mask_values: np.ndarray | None = None,
    ) -> None:
        self.images, self.targets, self.channels, self.mask_values = images, targets, channels, mask_values

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image, target = read_image(self.images[index], self.channels), self.targets[index]
        if not isinstance(target, Path):
            return {"image": image, "target": target}
        mask = read_mask(target)
        if mask.shape != image.shape[:2]:
            raise DataError(
                f"expected image and mask of one size, got {_size(image)} in {self.images[index]} and {_size(mask)} in "
                f"{target}; try resizing one of them"
            )
        return {"image": image, "target": mask if self.mask_values is None else self._to_classes(mask, target)}

    def _to_classes(self, mask: np.ndarray, path: Path) -> np.ndarray:
        table = np.asarray(self.mask_values, dtype=np.int64)  # signed, whatever was given: -1 marks unknown values
        classes: np.ndarray = np.where(mask < len(table), table[np.minimum(mask, len(table) - 1)], -1)
        if classes.min(initial=0) < 0:
            known = ", ".join(str(value) for value in np.flatnonzero(table >= 0))
            raise DataError(
                f"expected only the values {known} in mask {path}, got {mask[classes < 0][0]}; try other mask_values"
            )
        return classes.astype(np.uint8)

    def describe(self, index: int) -> str:
        """Return the file that a wrong target is to be looked for in."""
        target = self.targets[index]
        return str(target if isinstance(target, Path) else self.images[index])


def read_image(path: Path, channels: int = 3) -> np.ndarray:
    """Read an image file.

    The EXIF orientation is applied; palettes become RGB; transparent pixels are laid on white; 16-bit grey stays so.

    Args:
        path: A file in any format that Pillow reads.
        channels: 1 for grey, 3 for colour; colour becomes grey by luma, grey becomes colour by repetition.

    Returns:
        H×W×channels, uint8 (0 … 255) or uint16 (0 … 65,535).

    Raises:
        UnreadableImageError: If the file is missing or broken.
        DataError: If its pixels are neither 8-bit nor 16-bit.
    """
    image = ImageOps.exif_transpose(_open(path))
    if image.mode == "F" or image.mode.startswith("I"):
        grey = _sixteen_bit(image, path)[..., None]
        return grey if channels == 1 else np.repeat(grey, channels, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("L"))[..., None] if channels == 1 else np.asarray(image.convert("RGB"))


def read_mask(path: Path) -> np.ndarray:
    """Read a mask file whose pixel values, or palette indices, are class indices.

    Returns:
        H×W, uint8 or uint16.

    Raises:
        UnreadableImageError: If the file is missing or broken.
        DataError: If the file has more than one channel.
    """
    mask = _open(path)
    if mask.mode.startswith("I"):
        return _sixteen_bit(mask, path)
    if mask.mode not in ("1", "L", "P"):
        raise DataError(f"expected class indices in mask {path}, got {mask.mode} pixels; try saving it as 8-bit grey")
    return np.array(mask, dtype=np.uint8)


def find_images(folder: Path, setting: str = "path") -> list[Path]:
    """Return the image files under a folder, sorted.

    Args:
        folder: Where to look, at any depth.
        setting: The setting that named the folder, for the error.

    Raises:
        DataError: If the folder is missing or has none.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder at {folder}, got nothing there; try another {setting}")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        kinds = " ".join(sorted(_SUFFIXES))
        raise DataError(f"expected images in {folder}, got an empty folder; try another {setting} (known are {kinds})")
    return found


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        reason = str(error) or type(error).__name__
        raise UnreadableImageError(
            f"expected a readable image in {path}, got {reason!r}; try on_bad_image=skip", str(path)
        ) from error
    return image


def _sixteen_bit(image: Image.Image, path: Path) -> np.ndarray:
    pixels = np.asarray(image)
    if pixels.dtype.kind == "f" or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 65535:
        raise DataError(f"expected 8-bit or 16-bit pixels in {path}, got {image.mode}; try saving it as 16-bit PNG")
    return pixels.astype(np.uint16)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}×{array.shape[1]}"
