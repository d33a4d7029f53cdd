"""Scoring cells on a data module's test split, inside the Trainer's own test loop."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl

from robustlit.core import Adapter
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.cell_tally import CellTally
from robustlit.evaluation.cells import Conditions, CorruptionCell
from robustlit.evaluation.gathering import Gathering
from robustlit.evaluation.looking import first_loader
from robustlit.evaluation.selection import Selection
from robustlit.evaluation.time_cap import TimeCap
from robustlit.metrics.cells import Cell, CellScore

__all__ = ["score_cells"]


def score_cells(
    cells: Sequence[CorruptionCell],
    conditions: Conditions,
    images: int | None,
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
) -> dict[Cell, CellScore]:
    """Score the clean images and every cell in one pass over the test split.

    Args:
        cells: The cells.
        conditions: How they are made.
        images: How many images, chosen by a hash of their index; None for all.
        module: The module; left as it was.
        datamodule: With one test split.
        trainer: Moves the batches and sets the precision.

    Returns:
        The scores, the same on every process.
    """
    watcher = _Watcher(cells, conditions, images)
    trainer.callbacks.append(watcher)  # type: ignore[attr-defined]
    try:
        trainer.test(module, datamodule=datamodule, verbose=False)
    finally:
        trainer.callbacks.remove(watcher)  # type: ignore[attr-defined]
    return watcher.scores


class _Watcher(pl.Callback):
    """Takes the batches of the test loop."""

    def __init__(self, cells: Sequence[CorruptionCell], conditions: Conditions, images: int | None) -> None:
        self.cells, self.conditions = cells, conditions
        self.selection = Selection(images)
        self.scores: dict[Cell, CellScore] = {}

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.adapter = Adapter.for_module(pl_module)
        self.tally = CellTally(self.cells, self.conditions, TimeCap(None, (), None, pl_module.device))
        self.gathering = Gathering(self.selection, self.adapter, first_loader(trainer.test_dataloaders))

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        for chunk in self.gathering.add(batch):
            self.tally.look(trainer, pl_module, self.adapter, chunk)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for chunk in self.gathering.rest():
            self.tally.look(trainer, pl_module, self.adapter, chunk)
        self.scores = self.tally.compute(trainer, pl_module, self.adapter)
