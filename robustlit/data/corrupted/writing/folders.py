"""Writing ``<corruption>/<severity>/…`` for a folder of pictures."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from robustlit.data.corrupted.provenance import record, start
from robustlit.data.corrupted.whole import whole
from robustlit.data.corrupted.writing.pictures import Picture, batches, digest, find_pictures, read_picture
from robustlit.data.corrupted.writing.plan import Plan, StorageFormat
from robustlit.data.errors import DataError
from robustlit.data.image_files import find_images

__all__ = ["write_folders"]

_FORMATS: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 1},  # a third of the time of the usual level, a tenth more space
    "jpeg85": {"format": "JPEG", "quality": 85, "optimize": True},
}
_JPEG = (".jpg", ".jpeg")


def write_folders(source: Path, out: Path, plan: Plan) -> int:
    """Write every cell of a plan; files that are there already are kept.

    Every picture is read once for all cells, so an interrupted set lacks the same pictures in each.

    Returns:
        The number of pictures.

    Raises:
        DataError: If the pictures cannot be used, or ``out`` holds another set.
    """
    storage = plan.storage or "jpeg85"
    if storage not in _FORMATS:
        raise DataError(f"expected the format png or jpeg85 for a folder of pictures, got {storage!r}; try jpeg85")
    pictures = find_pictures(source, plan.resize, plan.crop)
    made = {"source": source.resolve().name, "source_digest": digest(pictures), "images": len(pictures)}
    made = plan.made(made, storage)
    plan.rehearse(read_picture(pictures[0], plan.resize, plan.crop))
    start(out, made)
    _copy_masks(source, out)
    total = len(pictures) * len(plan.cells)
    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(total=total, unit="image", desc="corrupting") as progress:
        for batch in batches(pictures, plan.batch_size):
            _write_batch(pictures, batch, out, plan, storage, pool)
            progress.update(len(batch) * len(plan.cells))
    sizes = {picture.size for picture in pictures}
    record(out, made, [plan.cell(*cell, len(pictures), sizes) for cell in plan.cells])
    return len(pictures)


def _write_batch(
    pictures: list[Picture], batch: list[int], out: Path, plan: Plan, storage: StorageFormat, pool: ThreadPoolExecutor
) -> None:
    chosen = [pictures[position] for position in batch]
    images = None
    for corruption, severity in plan.cells:
        folder = out / corruption.label / str(severity)
        files = [folder / _stored_name(picture.name, storage) for picture in chosen]
        if all(pool.map(_is_written, files, chosen)):
            continue
        if images is None:
            read = partial(read_picture, resize=plan.resize, crop=plan.crop)
            images = torch.from_numpy(np.stack(list(pool.map(read, chosen)))).permute(0, 3, 1, 2)
        changed = plan.apply(images, torch.tensor(batch), corruption, severity)
        list(pool.map(partial(_save, storage=storage), changed.permute(0, 2, 3, 1).numpy(), files))


def _stored_name(name: Path, storage: StorageFormat) -> Path:
    """Return the published name: JPEG files keep theirs, others get the ending of the format."""
    if storage == "png":
        return name.with_suffix(".png")
    return name if name.suffix.lower() in _JPEG else name.with_suffix(".jpg")


def _is_written(file: Path, picture: Picture) -> bool:
    """Whether a file of the right size is there; files are moved there whole."""
    try:
        with Image.open(file) as image:
            return image.size == picture.size[::-1]
    except (OSError, ValueError):
        return False


def _save(pixels: np.ndarray, file: Path, storage: StorageFormat) -> None:
    with whole(file) as beside:
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(beside, **_FORMATS[storage])


def _copy_masks(source: Path, out: Path) -> None:
    """Put the masks beside the cells, unchanged, as the benchmarks leave them."""
    if not ((source / "images").is_dir() and (source / "masks").is_dir()):
        return
    for mask in find_images(source / "masks"):
        copy = out / mask.relative_to(source)
        if not copy.exists():
            with whole(copy) as beside:
                shutil.copyfile(mask, beside)
