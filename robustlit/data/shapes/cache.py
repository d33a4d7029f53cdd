"""Records that are slow to make and quick to read: made once, kept in a memory-mapped file."""

import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

__all__ = ["cached_records", "default_cache_dir"]

Records = NDArray[np.void]  # N records of one structured dtype
Make = Callable[[int], tuple[Any, ...]]  # the fields of one record, out of its index


def default_cache_dir() -> Path:
    """Return the user's cache folder for this data set: ``$XDG_CACHE_HOME/robustlit/shapes``, or below ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "robustlit" / "shapes"


def cached_records(path: Path, count: int, dtype: np.dtype[np.void], make: Make, title: str) -> Records:
    """Return ``count`` records, read from ``path`` where they lie, else made and written there.

    A file is read only if its first, middle and last record are what ``make`` gives, so a damaged or foreign file is
    made afresh. A new file appears under its name when it is complete, so several processes may call this at once. In
    a folder that cannot be written, the records are made in memory, with a warning.

    Args:
        path: The ``.npy`` file.
        count: How many records there are.
        dtype: Structured dtype of one record.
        make: Gives the fields of one record, out of its index.
        title: What is being made, for the progress bar, which shows up after a second.

    Returns:
        A read-only array of ``count`` records.
    """
    if _is_intact(path, count, dtype, make):
        return _open(path)
    indices = tqdm(range(count), desc=title, unit="image", delay=1, leave=False)
    try:
        _write(path, count, dtype, map(make, indices))
        return _open(path)
    except OSError as error:
        warnings.warn(
            f"expected a writable cache folder, got {path.parent} ({error.strerror}); the pictures are kept in memory "
            "and drawn again next time; try another cache_dir",
            stacklevel=2,
        )
    records = np.fromiter(map(make, indices), dtype, count)
    records.setflags(write=False)
    return records


def _open(path: Path) -> Records:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _is_intact(path: Path, count: int, dtype: np.dtype[np.void], make: Make) -> bool:
    try:
        records = _open(path)
    except (OSError, ValueError, EOFError):  # missing, unreadable, not an array, cut short
        return False
    if records.shape != (count,) or records.dtype != dtype:
        return False
    return all(_agree(records[index], np.array(make(index), dtype=dtype)) for index in {0, count // 2, count - 1})


def _agree(found: np.void, expected: NDArray[np.void]) -> bool:
    """Compare two records, up to the one grey level by which two machines may round differently."""
    names = expected.dtype.names or ()
    return all(np.abs(found[name].astype(int) - expected[name].astype(int)).max() <= 1 for name in names)


def _write(path: Path, count: int, dtype: np.dtype[np.void], records: Iterable[tuple[Any, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
            np.lib.format.write_array_header_2_0(file, header)
            for record in records:
                file.write(np.array(record, dtype=dtype).tobytes())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
