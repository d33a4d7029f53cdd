"""Scoring cells on a data module's test split, inside the Trainer's own test loop."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytorch_lightning as pl

from robustlit.core import Adapter
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.corrupted.cell_tally import CellTally
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.corrupted.worst_pictures import WorstPictures
from robustlit.evaluation.passes.gathering import Gathering
from robustlit.evaluation.passes.looking import first_loader
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.selection import Selection
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import Cell, CellScore

__all__ = ["CellsFound", "score_cells"]


class CellsFound(NamedTuple):
    """What a pass over a test split found, the same on every process but for the pictures.

    Args:
        scores: Of the clean images and of every cell.
        outcomes: The arrays of :meth:`Outcomes.arrays <robustlit.evaluation.passes.outcomes.Outcomes.arrays>`.
        pictures: Of some of the lowest cells, in the first process.
    """

    scores: dict[Cell, CellScore]
    outcomes: dict[str, Any]
    pictures: dict[Cell, Record]


def score_cells(
    cells: Sequence[CorruptionCell],
    conditions: Conditions,
    images: int | None,
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
) -> CellsFound:
    """Score the clean images and every cell in one pass over the test split.

    Args:
        cells: The cells.
        conditions: How they are made.
        images: How many images, chosen by a hash of their index; None for all.
        module: The module; left as it was.
        datamodule: With one test split.
        trainer: Moves the batches and sets the precision.
    """
    watcher = _Watcher(cells, conditions, images, datamodule.class_names)
    trainer.callbacks.append(watcher)  # type: ignore[attr-defined]
    try:
        trainer.test(module, datamodule=datamodule, verbose=False)
    finally:
        trainer.callbacks.remove(watcher)  # type: ignore[attr-defined]
    return watcher.found


class _Watcher(pl.Callback):
    """Takes the batches of the test loop."""

    def __init__(
        self, cells: Sequence[CorruptionCell], conditions: Conditions, images: int | None, names: Sequence[str]
    ) -> None:
        self.cells, self.conditions = cells, conditions
        self.selection = Selection(images)
        self.outcomes, self.pictures = Outcomes(), WorstPictures(names)
        self.found = CellsFound({}, {}, {})

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.adapter = Adapter.for_module(pl_module)
        self.tally = CellTally(self.cells, self.conditions, TimeCap(None, (), None, pl_module.device), self.outcomes)
        self.gathering = Gathering(self.selection, self.adapter, first_loader(trainer.test_dataloaders))

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        for chunk in self.gathering.add(batch):
            self.pictures.keep(trainer, chunk)
            self.tally.look(trainer, pl_module, self.adapter, chunk)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for chunk in self.gathering.rest():
            self.pictures.keep(trainer, chunk)
            self.tally.look(trainer, pl_module, self.adapter, chunk)
        scores = self.tally.compute(trainer, pl_module, self.adapter)
        pictures = self.pictures.draw(trainer, pl_module, self.adapter, self.cells, self.conditions, scores)
        self.found = CellsFound(scores, self.outcomes.arrays(trainer), pictures)
