"""Which splits are tested."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustlit.core.names import lookup
from robustlit.evaluation.base import VALIDATION

if TYPE_CHECKING:
    from robustlit.data.base import VisionDataModule

__all__ = ["use_splits"]


def use_splits(datamodule: "VisionDataModule", wanted: Sequence[str] | None = None) -> None:
    """Leave in a data module the test splits that are wanted; the validation split may be one of them.

    Args:
        datamodule: A data module that has been set up; its ``test_sets`` are replaced.
        wanted: Names of splits; None for all test splits, or for "val" where the data set has none.

    Raises:
        ValueError: If there is no split of that name.
    """
    tests = datamodule.test_sets
    known = dict(tests) if datamodule.val_set is None else {**tests, VALIDATION: datamodule.val_set}
    if wanted is None:
        wanted = list(tests or known)
    datamodule.test_sets = {name: lookup("split", name, known) for name in wanted}
