"""Finding the images that cannot be read before a run begins, so that its length is known and it can be resumed."""

from typing import Any

from torch.utils.data import Dataset, Subset
from tqdm import tqdm

from robustlit.data.errors import UnreadableImageError
from robustlit.data.samples import describer
from robustlit.data.split import Splits

__all__ = ["without_unreadable"]


def without_unreadable(splits: Splits) -> tuple[Splits, list[str]]:
    """Read every sample once and leave out those whose image or mask cannot be read.

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
    good, describe = [], describer(source)
    count = len(source)  # type: ignore[arg-type]
    for index in tqdm(range(count), desc="checking images", unit="image", delay=2, leave=False):
        try:
            source[index]
        except UnreadableImageError as error:
            bad.append(error.file or describe(index))
        else:
            good.append(index)
    return Subset(source, good)
