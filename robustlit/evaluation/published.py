"""The test on a published corrupted set: CIFAR-10-C, ImageNet-C, Cityscapes-C, ACDC, or one that robustlit wrote."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import PUBLISHED, Row
from robustlit.evaluation.corruptions import SCORE_OF

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.data.corrupted import CorruptedSet
    from robustlit.metrics.cells import Cell, CellScore

__all__ = ["PublishedTest"]


class PublishedTest:
    """Every cell of a corrupted set on disk, one forward of the module an image.

    Figures are those of :class:`~robustlit.evaluation.CorruptionTest`, computed by the same code. A set that holds
    several published families gives one test for each, ``<name>-common``, ``<name>-extra``, ``<name>-bar``, because a
    published mean is over one of them. Cells that are missing are named in the conditions of every figure.

    Args:
        path: The folder.
        name: Name of the test; None for the folder's.
        layout: "arrays", "class_folders", "mask_folders", "acdc", or "auto" to see it from the folder.
        masks: Folder of the masks, for "mask_folders"; None for ``masks/`` in the folder.
        split: The split of "acdc".
        transforms: Whether the images go through the data module's evaluation transforms; published images have been
            resized and cropped already.

    Raises:
        ValueError: When it is run, if the set is not of the layout, or its task or classes are not the model's.
    """

    def __init__(
        self,
        path: str | Path,
        name: str | None = None,
        layout: Any = "auto",
        masks: str | Path | None = None,
        split: str = "val",
        transforms: bool = False,
    ) -> None:
        self.path = Path(path)
        self.name = name or self.path.resolve().name
        self.layout, self.masks, self.split, self.transforms = layout, masks, split, transforms

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; raises already where the set does not fit."""
        from robustlit.evaluation.corrupted.class_rows import class_keys
        from robustlit.evaluation.corrupted.corruption_rows import corruption_keys
        from robustlit.evaluation.corrupted.published_cells import key_of, parts

        found = self.open(datamodule)
        score = SCORE_OF[datamodule.task]
        keys: list[str] = []
        for part in parts(self.name, found):
            cells = [key_of(cell) for cell in part.cells]
            keys += corruption_keys(part.test, score, cells, clean=False)
            keys += class_keys(part.test, score, cells, datamodule.class_names)
        return keys

    def open(self, datamodule: "VisionDataModule") -> "CorruptedSet":
        """Open the set for a model of the data module's task and classes."""
        from robustlit.data.corrupted import open_corrupted

        found = open_corrupted(
            self.path,
            layout=self.layout,
            num_classes=datamodule.num_classes,
            class_names=datamodule.class_names or None,
            masks=self.masks,
            mask_values=getattr(datamodule, "mask_values", None),
            ignore_index=datamodule.ignore_index,
            split=self.split,
            channels=datamodule.channels,
        )
        _check_fit(found, datamodule)
        return found

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every cell, and return one row a cell, corruption and family."""
        from robustlit.evaluation.corrupted.class_rows import class_rows
        from robustlit.evaluation.corrupted.corruption_rows import corruption_rows
        from robustlit.evaluation.corrupted.published_cells import conditions_of, key_of, parts, why_not_mce_of

        found = self.open(datamodule)
        transforms = datamodule.eval_transforms if self.transforms else ()
        measured, size = _score(found, transforms, module, datamodule, trainer)
        settings = {
            "transforms": "of the data" if self.transforms else "none",
            "precision": str(trainer.precision),
            "version": __version__,
        }
        rows: list[Row] = []
        for part in parts(self.name, found):
            conditions = {**conditions_of(found, part, self.name, size), **settings}
            cells = [key_of(cell) for cell in part.cells]
            refusal = why_not_mce_of(found, part, size, transformed=self.transforms)
            score = SCORE_OF[datamodule.task]
            rows += corruption_rows(part.test, PUBLISHED, score, measured, cells, conditions, refusal)
            rows += class_rows(part.test, PUBLISHED, score, measured, cells, conditions, datamodule.class_names)
        return rows


def _score(
    found: "CorruptedSet",
    transforms: Sequence[Any],
    module: "LightningModule",
    datamodule: "VisionDataModule",
    trainer: "Trainer",
) -> "tuple[dict[Cell, CellScore], tuple[int, int]]":
    """Score a set, the cells of one corruption at a time: every loader may have processes of its own."""
    from robustlit.data.samples import Samples
    from robustlit.evaluation.corrupted.disk_pass import score_splits
    from robustlit.evaluation.corrupted.published_cells import key_of

    measured: dict[Cell, CellScore] = {}
    size = (0, 0)
    for name in found.names:
        splits = {
            key_of(cell): Samples(
                found.dataset(cell),
                transforms,
                seed=0,
                task=datamodule.task,
                num_classes=datamodule.num_classes,
                channels=datamodule.channels,
                ignore_index=datamodule.ignore_index,
            )
            for cell in found.cells
            if cell[0] == name
        }
        size = next(iter(splits.values()))[0]["image"].shape[:2]
        measured |= score_splits(splits, module, datamodule, trainer)
    return measured, (int(size[0]), int(size[1]))


def _check_fit(found: "CorruptedSet", datamodule: "VisionDataModule") -> None:
    """Raise where the set is of another task, or has the model's classes in another order."""
    from robustlit.data.errors import DataError

    if found.task != datamodule.task:
        raise DataError(
            f"expected a set for {datamodule.task}, as the data are, in {found.path}, got one for {found.task}; "
            "try another path"
        )
    theirs, ours = found.class_names, tuple(datamodule.class_names)
    if theirs != ours and sorted(theirs) == sorted(ours):
        first = next(place for place, (one, other) in enumerate(zip(theirs, ours, strict=True)) if one != other)
        raise DataError(
            f"expected the classes of {found.path} in the order of the data, got {theirs[first]!r} for "
            f"{ours[first]!r} at {first}; try class_names in the order of the set"
        )
