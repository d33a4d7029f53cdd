"""Scores of cells, gathered from processes of which some may have had no image."""

from collections.abc import Sequence
from typing import cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.adapter import TASKS, Task
from robustlit.evaluation.cells import Conditions, CorruptionCell
from robustlit.evaluation.gathering import Chunk
from robustlit.evaluation.looking import looking
from robustlit.evaluation.time_cap import TimeCap
from robustlit.metrics import CellScore, CorruptionScores
from robustlit.metrics.cells import CLEAN, Cell

__all__ = ["CellTally"]


class CellTally:
    """Counts predictions cell by cell; the metric is made when the first logits say how many classes there are.

    Args:
        cells: The cells of this evaluation; the images as they are, ``CLEAN``, come first by themselves.
        conditions: How they are made.
        cap: Which of them there is time for.
    """

    def __init__(self, cells: Sequence[CorruptionCell], conditions: Conditions, cap: TimeCap[Cell]) -> None:
        self.cells = tuple(cells)
        self.keys = (CLEAN, *(cell.key for cell in cells))
        self.conditions = conditions
        self.cap = cap
        self._kind: tuple[Task, int] | None = None
        self._scores: CorruptionScores | None = None

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Score every cell on some images."""
        with looking(trainer, module, adapter) as predict:
            self._update(adapter, CLEAN, predict(chunk.images), chunk.targets)
            for cell in self.cells:
                if self.cap.allows(cell.key):
                    images, targets = self.conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
                    self._update(adapter, cell.key, predict(images), targets)
                    self.cap.spent(cell.key)
        self.cap.done(len(chunk))

    def _update(self, adapter: Adapter, cell: Cell, logits: Tensor, targets: Tensor) -> None:
        if self._scores is None:
            self._kind = (adapter.task_of(targets, logits), logits.shape[1])
            self._scores = self._metric(self._kind, adapter, logits.device)
        self._scores.update(cell, logits, targets)

    def compute(self, trainer: pl.Trainer, pl_module: pl.LightningModule, adapter: Adapter) -> dict[Cell, CellScore]:
        """Return the scores of all processes together, the same on each, without cells that one had no time for."""
        kind = self._agree(trainer, pl_module.device)
        if kind is None:
            return {}
        scores = self._scores or self._metric(kind, adapter, pl_module.device)
        dropped = torch.tensor([cell in self.cap.dropped for cell in self.keys], device=pl_module.device)
        dropped = cast(Tensor, trainer.strategy.reduce(dropped.int(), reduce_op="max"))
        left_out = {cell for cell, gone in zip(self.keys, dropped.tolist(), strict=True) if gone}
        if left_out:
            rank_zero_warn(
                f"{len(left_out)} of {len(self.keys)} cells did not fit into max_seconds={self.cap.seconds:g}, so they "
                "were left out; try fewer images, a smaller rotate or a larger max_seconds"
            )
        return {cell: score for cell, score in scores.compute().items() if cell not in left_out}

    def _agree(self, trainer: pl.Trainer, device: torch.device) -> tuple[Task, int] | None:
        """Learn the task and the number of classes from the processes that had images."""
        own = (-1, 0) if self._kind is None else (TASKS.index(self._kind[0]), self._kind[1])
        task, classes = trainer.strategy.reduce(torch.tensor(own, device=device), reduce_op="max").tolist()
        return None if classes == 0 else (TASKS[task], classes)

    def _metric(self, kind: tuple[Task, int], adapter: Adapter, device: torch.device) -> CorruptionScores:
        task, classes = kind
        return CorruptionScores(self.keys, task, classes, ignore_index=adapter.ignore_index).to(device)
