"""Which splits are tested, and the size of their images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robustlit.evaluation.base import VALIDATION

if TYPE_CHECKING:
    from robustlit.data.base import VisionDataModule

__all__ = ["size_of", "use_splits", "use_whole"]


WHOLE = "all"  # the name of the split of all images


def use_splits(datamodule: "VisionDataModule", wanted: Sequence[str] | None = None) -> None:
    """Leave in a data module the test splits that are wanted; the validation split may be one of them.

    Args:
        datamodule: A data module that has been set up; its ``test_sets`` are replaced.
        wanted: Names of splits; None for all test splits, or for "val" where the data set has none.

    Raises:
        ValueError: If there is no split of that name.
    """
    from robustlit.core.names import lookup  # its package imports torch; the command line reads rows without it

    tests = datamodule.test_sets
    known = dict(tests) if datamodule.val_set is None else {**tests, VALIDATION: datamodule.val_set}
    if wanted is None:
        wanted = list(tests or known)
    datamodule.test_sets = {name: lookup("split", name, known) for name in wanted}


def use_whole(datamodule: "VisionDataModule") -> None:
    """Where the only images there are were shared out for training and validation, make all of them the split "all".

    That is what a model wants that was trained elsewhere. Nothing is changed where the data set has a test split, or a
    validation split of its own.

    Args:
        datamodule: A data module that has been set up.
    """
    train, val = datamodule.train_set, datamodule.val_set
    if datamodule.test_sets or (val is not None and val.source is not train.source):
        return
    from torch.utils.data import Subset

    from robustlit.data.samples import Samples
    from robustlit.data.split import permutation

    bad, limit = {*datamodule.bad_images}, datamodule.limit_eval
    chosen = [index for index in range(len(train.source)) if not bad or train.describe(index) not in bad]
    if limit is not None and limit < len(chosen):
        chosen = sorted(chosen[place] for place in permutation(len(chosen), datamodule.split_seed, "limit")[:limit])
    whole = Samples(
        Subset(train.source, chosen),
        datamodule.eval_transforms,
        seed=0,
        task=datamodule.task,
        num_classes=datamodule.num_classes,
        channels=datamodule.channels,
        ignore_index=datamodule.ignore_index,
    )
    datamodule.test_sets = {WHOLE: whole}


def size_of(samples: Any) -> tuple[int, int]:
    """Return the height and width of the images of a split, as its first one has them."""
    height, width = samples[0]["image"].shape[:2]
    return int(height), int(width)
