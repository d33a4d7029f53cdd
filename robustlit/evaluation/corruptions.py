"""The test on corrupted images: the families of ImageNet-C and C-bar, and a user's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record
from robustlit.evaluation.splits import size_of

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.corrupted.cell_pass import CellsFound
    from robustlit.evaluation.corrupted.cells import CorruptionCell
    from robustlit.evaluation.passes.visiting import SplitPass
    from robustlit.metrics.cells import Cell

__all__ = ["SCORE_OF", "CorruptionTest"]

SCORE_OF = {"classification": "accuracy", "multilabel": "auroc", "segmentation": "iou"}


class CorruptionTest:
    """Every cell of one or more families, in one pass over every test split.

    Families are "common" (15 corruptions), "extra" (4) of Hendrycks and Dietterich 2019, and "bar" (10 of Mintun et
    al. 2021, for small or large images); own corruptions form the family "own". A corruption without a table of the
    preset has the one nearest in size, and the rows say which. The draws depend on the evaluation
    seed, the corruption, the severity and the sample only, so that models face the same test.

    Args:
        families: Which families.
        own: Names, corruptions, or functions ``(images, severity, seeds) -> images``.
        severities: 1 to 5.
        images: How many images of a split, chosen by a hash of their index; None for all.
        preset: "imagenet", "tiny", "cifar", or "auto" by the size of the images.
        seed: Evaluation seed.
        storage: "jpeg85" for the JPEG files in which ImageNet-C is stored.
        frost: "procedural", "imagecorruptions" for the textures of that installed package, or a folder with them.
        move_masks: Whether masks move with the pixels of geometric corruptions.

    Raises:
        ValueError: For unknown families, names, presets, severities, storage or frost, or for different corruptions of
            one name.
    """

    name = "corruptions"

    def __init__(
        self,
        families: Sequence[str] = ("extra", "common", "bar"),
        own: Sequence[Any] = (),
        severities: Sequence[float] = (1, 2, 3, 4, 5),
        images: int | None = None,
        preset: str = "auto",
        seed: int = 0,
        storage: Any = None,
        frost: str = "procedural",
        move_masks: bool = False,
    ) -> None:
        from robustlit.core.names import lookup
        from robustlit.corruptions.families import FAMILIES
        from robustlit.evaluation.corrupted.nearest_table import NearestTable
        from robustlit.evaluation.passes.selection import Selection

        for family in families:
            lookup("family", family, FAMILIES)
        if not severities or len(set(severities)) < len(severities):
            raise ValueError(f"expected severities from 1 to 5, each once, got {[*severities]}; try [1, 2, 3, 4, 5]")
        Selection(images)
        self.families, self.own, self.severities = tuple(families), tuple(own), tuple(severities)
        self.images, self.frost = images, str(frost)
        self.conditions = NearestTable(preset, seed, storage, move_masks)
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; raises already what would stop it."""
        from robustlit.corruptions.weather.frost_files import photographs
        from robustlit.evaluation.corrupted.class_rows import class_keys
        from robustlit.evaluation.corrupted.corruption_rows import corruption_keys

        if self.frost != "procedural":
            photographs(self.frost)
        score = SCORE_OF[datamodule.task]
        keys: list[str] = []
        for samples in datamodule.test_sets.values():
            families = self._cells(*size_of(samples))
            _distinct(families)
            for family, cells in families.items():
                own = [cell.key for cell in cells]
                keys += corruption_keys(family, score, own) + class_keys(family, score, own, datamodule.class_names)
        return list(dict.fromkeys(keys))

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split, and return one row a cell, corruption and family."""
        from robustlit.evaluation.passes.visiting import SplitPass

        self.records = []
        look = SplitPass(module, datamodule, trainer, self.images)
        return [
            row
            for name, samples in datamodule.test_sets.items()
            for row in self._run_split(name, samples, look, datamodule, trainer)
        ]

    def _run_split(
        self, split: str, samples: Any, look: "SplitPass", datamodule: "VisionDataModule", trainer: "Trainer"
    ) -> list[Row]:
        from robustlit.evaluation.corrupted.cell_pass import CellPass
        from robustlit.evaluation.corrupted.class_rows import class_rows
        from robustlit.evaluation.corrupted.corruption_rows import corruption_rows

        height, width = size_of(samples)
        families = self._cells(height, width)
        visitor = CellPass(_distinct(families), self.conditions, datamodule.class_names)
        look.visit(visitor, split, samples)
        found = visitor.found
        conditions = {
            **self.conditions.describe(height, width),
            "frost": self.frost,
            "precision": str(trainer.precision),
            "version": __version__,
        }
        score = SCORE_OF[datamodule.task]
        rows: list[Row] = []
        for family, own in families.items():
            keys = [cell.key for cell in own]
            refusal = self._why_not_mce(family, keys, datamodule, conditions, (height, width))
            tables = sorted({self.conditions.table(cell, height, width) for cell in own})
            counted = {**conditions, "preset": "+".join(tables), "cells": _coverage(keys)}
            rows += corruption_rows(family, split, score, found.scores, keys, counted, refusal)
            rows += class_rows(family, split, score, found.scores, keys, counted, datamodule.class_names)
            self.records += _records(family, split, own, found)
        return rows

    def _cells(self, height: int, width: int) -> "dict[str, tuple[CorruptionCell, ...]]":
        """The cells of every family, for images of this size."""
        from robustlit.corruptions.families import family
        from robustlit.corruptions.presets import choose_preset
        from robustlit.corruptions.weather.frost import Frost
        from robustlit.evaluation.corrupted.cells import cells_of

        preset = choose_preset(self.conditions.preset, height, width)
        names = {name: family(name, preset) for name in self.families}
        if self.own:
            names["own"] = self.own
        return {
            name: cells_of([Frost(self.frost) if each == "frost" else each for each in members], self.severities)
            for name, members in names.items()
        }

    def _why_not_mce(
        self,
        family: str,
        cells: "Sequence[Cell]",
        datamodule: "VisionDataModule",
        conditions: Mapping[str, Any],
        size: tuple[int, int],
    ) -> str | None:
        from robustlit.metrics.mce import has_wordnet_names, why_not_mce

        if family != "common":
            return "its corruptions are not the 15 common ones"
        return why_not_mce(
            dataset="imagenet" if has_wordnet_names(datamodule.class_names) else type(datamodule).__name__,
            num_classes=datamodule.num_classes,
            preset=conditions["preset"],
            size=size,
            cells=cells,
            storage=self.conditions.storage,
            reference_frost=self.frost != "procedural",
        )


def _records(family: str, split: str, cells: "Sequence[CorruptionCell]", found: "CellsFound") -> list[Record]:
    """What is kept of the images of a family: which are right in its cells, and the pictures of its worst."""
    from robustlit.evaluation.passes.outcomes import cell_words

    records = []
    if found.outcomes:
        names = ["index", "clean", *(cell_words(cell.key) for cell in cells)]
        arrays = {name: found.outcomes[name] for name in names if name in found.outcomes}
        records.append(Record(family, split, "outcomes", "", arrays))
    drawn = [found.pictures[cell.key] for cell in cells if cell.key in found.pictures]
    return records + [replace(picture, test=family, split=split) for picture in drawn]


def _distinct(families: "Mapping[str, Sequence[CorruptionCell]]") -> "list[CorruptionCell]":
    """Return every cell once, whatever the families that share it.

    Raises:
        ValueError: If corruptions that differ have one name.
    """
    found: dict[Cell, CorruptionCell] = {}
    for cell in (cell for cells in families.values() for cell in cells):
        one, other = found.setdefault(cell.key, cell).corruption, cell.corruption
        if type(one) is not type(other) or repr(one) != repr(other):
            raise ValueError(f"expected one corruption of a name, got two different {one.label!r}; try another name")
    return list(found.values())


def _coverage(cells: "Sequence[Cell]") -> str:
    """How many cells of the published severities a mean is over."""
    from robustlit.corruptions.severity import SEVERITIES

    published = [cell for cell in cells if cell[1] in SEVERITIES]
    return f"{len(published)} of {len({label for label, _ in cells}) * len(SEVERITIES)}"
