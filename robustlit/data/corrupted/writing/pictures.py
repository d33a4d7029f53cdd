"""A folder of pictures to be corrupted: what is in it, and each as 8-bit pixels."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from robustlit.corruptions.corrupt import SMALLEST
from robustlit.data.errors import DataError, UnreadableImageError
from robustlit.data.image_files import find_images, read_image

__all__ = ["Picture", "batches", "digest", "eight_bits", "find_pictures", "read_picture"]

_ORIENTATION = 0x0112  # EXIF: from 5 on, the picture lies on its side
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Picture:
    """One file, as it will be when it is corrupted.

    Args:
        path: Where it is.
        name: Its path relative to the folder.
        size: Height and width in pixels, after resizing and cropping.
        channels: 1 for grey files, 3 for all others.
    """

    path: Path
    name: Path
    size: tuple[int, int]
    channels: int


def find_pictures(folder: Path, resize: int | None, crop: int | None) -> list[Picture]:
    """List the pictures of a folder, sorted; of a folder with ``images/`` and ``masks/``, the images.

    Raises:
        DataError: If there are none, several splits, two of one name, or one that cannot be read or is too small.
    """
    splits = [name for name in _SPLITS if (folder / name).is_dir()]
    if splits:
        raise DataError(
            f"expected the folder of one split, got {folder} with {' and '.join(splits)}; try {folder / splits[-1]}"
        )
    has_masks = all((folder / name).is_dir() for name in ("images", "masks"))
    if has_masks and (resize or crop):
        raise DataError(
            f"expected pictures without masks to resize or crop, got {folder / 'masks'}; try leaving both out"
        )
    found = [_picture(file, folder, resize, crop) for file in find_images(folder / "images" if has_masks else folder)]
    names: dict[Path, Path] = {}
    for picture in found:
        first = names.setdefault(picture.name.with_suffix(""), picture.path)
        if first is not picture.path:
            raise DataError(
                f"expected files of different stems, got {first} and {picture.path}; try renaming one of them"
            )
    return found


def read_picture(picture: Picture, resize: int | None, crop: int | None) -> np.ndarray:
    """Return a picture as uint8 H×W×C, resized and cropped as its size says."""
    pixels = eight_bits(read_image(picture.path, picture.channels))
    if resize is not None:
        image = Image.fromarray(pixels[..., 0] if picture.channels == 1 else pixels)
        height, width = _resized(pixels.shape[0], pixels.shape[1], resize)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)
    height, width = picture.size
    top, left = round((pixels.shape[0] - height) / 2), round((pixels.shape[1] - width) / 2)
    return pixels[top : top + height, left : left + width]


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels; 16-bit ones are rounded.

    Example:
        >>> eight_bits(np.array([0, 257, 65535], np.uint16))
        array([  0,   1, 255], dtype=uint8)
    """
    return pixels if pixels.dtype == np.uint8 else ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def batches(pictures: list[Picture], size: int) -> Iterator[list[int]]:
    """Yield the positions of pictures that follow one another and have one size and number of channels."""
    batch: list[int] = []
    for position, picture in enumerate(pictures):
        last = pictures[batch[-1]] if batch else picture
        if len(batch) == size or (picture.size, picture.channels) != (last.size, last.channels):
            yield batch
            batch = []
        batch.append(position)
    yield batch


def digest(pictures: list[Picture]) -> str:
    """Return a hash of names and file sizes, by which the same folder is known again."""
    lines = (f"{picture.name.as_posix()} {picture.path.stat().st_size}" for picture in pictures)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def _picture(file: Path, folder: Path, resize: int | None, crop: int | None) -> Picture:
    try:
        with Image.open(file) as image:  # the header alone
            width, height = image.size
            sideways = image.getexif().get(_ORIENTATION, 1) >= 5
            channels = 1 if image.mode in ("1", "L") or image.mode.startswith("I") else 3
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        raise UnreadableImageError(
            f"expected a readable image in {file}, got {error}; try removing it", str(file)
        ) from error
    height, width = (width, height) if sideways else (height, width)
    if resize is not None:
        height, width = _resized(height, width, resize)
    if min(height, width) < max(SMALLEST, crop or 0):
        least = max(SMALLEST, crop or 0)
        raise DataError(
            f"expected pictures of at least {least}×{least} pixels, got {height}×{width} in {file}; "
            f"try --resize {least}"
        )
    return Picture(file, file.relative_to(folder), (crop, crop) if crop else (height, width), channels)


def _resized(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Return the size whose shorter side has this length, the longer cut to whole pixels as torchvision does."""
    if height <= width:
        return shorter, int(shorter * width / height)
    return int(shorter * height / width), shorter
