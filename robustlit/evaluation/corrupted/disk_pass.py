"""Scoring images as they are, one forward an image, whatever the module's own test step does."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from robustlit.core import Adapter
from robustlit.core.adapter import Task
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.passes.standing_in import stand_in
from robustlit.metrics.cells import Cell, CellScore
from robustlit.metrics.corruption_scores import CorruptionScores

if TYPE_CHECKING:
    from robustlit.data.samples import Samples

__all__ = ["score_splits"]


def score_splits(
    splits: "Mapping[Cell, Samples]", module: pl.LightningModule, datamodule: VisionDataModule, trainer: pl.Trainer
) -> dict[Cell, CellScore]:
    """Score one split for every cell by the loaders of a data module, which keeps its own test splits.

    Args:
        splits: The images of every cell.
        module: The module; left as it was.
        datamodule: Whose batch size, workers and task are used.
        trainer: Moves the batches and sets the precision; its callbacks do not see this pass but for a progress bar.

    Returns:
        The scores, the same on every process.
    """
    scorer = _Scorer(module, tuple(splits), _task(datamodule), datamodule.num_classes)
    named = {f"{name} {severity:g}": split for (name, severity), split in splits.items()}
    stand_in(scorer, named, module, datamodule, trainer)
    return scorer.found


class _Scorer(pl.LightningModule):
    """Scores the batches of another module."""

    def __init__(self, module: pl.LightningModule, cells: tuple[Cell, ...], task: Task, num_classes: int) -> None:
        super().__init__()
        self.module, self.cells = module, cells
        self.adapter = Adapter.for_module(module)
        self.scores = CorruptionScores(cells, task, num_classes, ignore_index=self.adapter.ignore_index)
        self.found: dict[Cell, CellScore] = {}

    def test_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        logits = self.adapter.predict(self.module, self.adapter.images(batch)).float()
        self.scores.update(self.cells[dataloader_idx], logits, self.adapter.targets(batch))

    def on_test_epoch_end(self) -> None:
        self.found = self.scores.compute()


def _task(datamodule: VisionDataModule) -> Task:
    single = datamodule.task == "segmentation" and datamodule.num_classes == 1
    return "binary_segmentation" if single else datamodule.task
