"""Writing ``<corruption>.npy`` and ``labels.npy`` for the images of an ``.npz`` file."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from robustlit.corruptions import Corruption
from robustlit.corruptions.corrupt import check_images
from robustlit.data.arrays import ImageArray
from robustlit.data.corrupted.arrays import LABELS
from robustlit.data.corrupted.provenance import record, start
from robustlit.data.corrupted.whole import whole
from robustlit.data.corrupted.writing.pictures import eight_bits
from robustlit.data.corrupted.writing.plan import Plan
from robustlit.data.errors import DataError
from robustlit.data.npz import read_npz

__all__ = ["write_arrays"]


def write_arrays(source: Path, out: Path, plan: Plan) -> int:
    """Write every corruption of a plan; files that are there already are kept.

    The test split is taken, or the validation or training split where there is none.

    Returns:
        The number of images of a severity.

    Raises:
        DataError: If the file cannot be used, or ``out`` holds another set.
    """
    if plan.storage not in (None, "npy") or plan.resize or plan.crop:
        raise DataError("expected the format npy and no resize or crop for an .npz, got others; try leaving them out")
    splits = read_npz(source)
    split = next(name for name in ("test", "val", "train") if name in splits)
    images, labels = eight_bits(splits[split].images), splits[split].labels
    _check(images, splits[split])
    known = hashlib.blake2b(images.tobytes() + np.ascontiguousarray(labels).tobytes(), digest_size=8).hexdigest()
    made = {"source": source.name, "split": split, "source_digest": known, "images": len(images)}
    made = plan.made({**made, "severities": list(plan.severities)}, "npy")
    plan.rehearse(images[0])
    start(out, made)
    rows = len(plan.severities)
    _save_labels(out / LABELS, np.concatenate([labels] * rows))
    total = len(images) * len(plan.cells)
    with tqdm(total=total, unit="image", desc="corrupting") as progress:
        for corruption in plan.corruptions:
            file = out / f"{corruption.label}.npy"
            if not _is_written(file, (rows * len(images), *images.shape[1:])):
                _write(file, images, plan, corruption, progress)
            else:
                progress.update(len(images) * rows)
            cells = [plan.cell(corruption, s, len(images), {images.shape[1:3]}) for s in plan.severities]
            record(out, made, cells)
    return len(images)


def _write(file: Path, images: np.ndarray, plan: Plan, corruption: Corruption, progress: tqdm) -> None:
    with whole(file) as beside:
        shape = (len(plan.severities) * len(images), *images.shape[1:])
        stored = np.lib.format.open_memmap(beside, "w+", np.uint8, shape)
        row = 0
        for severity in plan.severities:
            for first in range(0, len(images), plan.batch_size):
                part = torch.from_numpy(images[first : first + plan.batch_size]).permute(0, 3, 1, 2)
                indices = torch.arange(first, first + len(part))
                changed = plan.apply(part, indices, corruption, severity)
                stored[row : row + len(part)] = changed.permute(0, 2, 3, 1).numpy()
                row += len(part)
                progress.update(len(part))
        stored.flush()


def _check(images: np.ndarray, array: ImageArray) -> None:
    try:
        check_images(torch.from_numpy(images[:1]).permute(0, 3, 1, 2))
    except ValueError as error:
        raise DataError(f"{array.name}: {error}") from error


def _save_labels(file: Path, labels: np.ndarray) -> None:
    if not _is_written(file, labels.shape):
        with whole(file) as beside, beside.open("wb") as stream:
            np.save(stream, labels)


def _is_written(file: Path, shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is there; mapping it fails where the file is too short."""
    try:
        return bool(np.load(file, mmap_mode="r").shape == shape)
    except (OSError, ValueError, EOFError):
        return False
