"""Finding the images that cannot be read before a run begins, so that its length is known and it can be resumed."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from torch.utils.data import Dataset, Subset
from tqdm import tqdm

from robustlit.data.errors import UnreadableImageError
from robustlit.data.samples import describer
from robustlit.data.split import Splits

__all__ = ["without_unreadable"]

_BLOCK = 64  # samples that a thread reads at a time
_PROGRESS: dict[str, Any] = {"desc": "checking images", "unit": "image", "delay": 2, "leave": False}


def without_unreadable(splits: Splits) -> tuple[Splits, list[str]]:
    """Read every sample once and leave out those whose image or mask cannot be read.

    As many threads read as there are cores. Under several processes each does so for itself: the answer is the same,
    and none has to wait for another.

    Returns:
        The splits without them, and the files that are broken.
    """
    bad: list[str] = []
    train = _readable(splits.train, bad)
    val = None if splits.val is None else _readable(splits.val, bad)
    tests = {name: _readable(test, bad) for name, test in splits.tests.items()}
    groups = None if splits.groups is None else [splits.groups[i] for i in train.indices]
    return Splits(train, val, dict(tests), groups), bad


def _readable(source: Dataset[dict[str, Any]], bad: list[str]) -> Subset[dict[str, Any]]:
    good, count = [], len(source)  # type: ignore[arg-type]
    blocks = [range(first, min(first + _BLOCK, count)) for first in range(0, count, _BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(**_PROGRESS, total=count) as progress:
        for block, broken in zip(blocks, pool.map(partial(_broken, source), blocks), strict=True):
            good += [index for index in block if index not in broken]
            bad += broken.values()
            progress.update(len(block))
    return Subset(source, good)


def _broken(source: Dataset[dict[str, Any]], block: range) -> dict[int, str]:
    """Return the files of those samples of a block that cannot be read."""
    describe, broken = describer(source), {}
    for index in block:
        try:
            source[index]
        except UnreadableImageError as error:
            broken[index] = error.file or describe(index)
    return broken
