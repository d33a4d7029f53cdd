"""Scores of named cells, gathered from processes of which some may have had no image."""

from collections.abc import Collection, Sequence
from typing import cast

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.adapter import TASKS, Task
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.metrics.cells import Cell, CellScore
from robustlit.metrics.corruption_scores import CorruptionScores
from robustlit.metrics.targets import check_targets

__all__ = ["ScoreTally"]


class ScoreTally:
    """Counts predictions cell by cell; the metric is made when the first logits say how many classes there are.

    Args:
        cells: The cells, the same on every process.
        outcomes: Gets every image's too.
    """

    def __init__(self, cells: Sequence[Cell], outcomes: Outcomes | None = None) -> None:
        self.cells = tuple(cells)
        self.outcomes = outcomes
        self._kind: tuple[Task, int] | None = None
        self._scores: CorruptionScores | None = None

    def update(self, adapter: Adapter, cell: Cell, logits: Tensor, targets: Tensor) -> None:
        """Count some predictions of one cell.

        Raises:
            ValueError: If the first logits and targets do not fit each other, in one line that says what to try.
        """
        if self._scores is None:
            task = adapter.task_of(targets, logits)
            check_targets(logits, targets, task, adapter.ignore_index)
            self._kind = (task, logits.shape[1])
            self._scores = self._metric(self._kind, adapter, logits.device)
        self._scores.update(cell, logits, targets)
        if self.outcomes is not None and self._kind is not None:
            self.outcomes.add(cell, logits, targets, self._kind[0], adapter.ignore_index)

    def compute(
        self, trainer: pl.Trainer, device: torch.device, adapter: Adapter, dropped: Collection[Cell] = ()
    ) -> dict[Cell, CellScore]:
        """Return the scores of all processes together, the same on each.

        Args:
            trainer: Of this process.
            device: Where the counts are.
            adapter: How targets are read.
            dropped: Cells that this process had no time for; those of any process are left out.
        """
        kind = self._agree(trainer, device)
        if kind is None:
            return {}
        scores = self._scores or self._metric(kind, adapter, device)
        gone = torch.tensor([cell in dropped for cell in self.cells], device=device).int()
        gone = cast(Tensor, trainer.strategy.reduce(gone, reduce_op="max"))
        left_out = {cell for cell, missing in zip(self.cells, gone.tolist(), strict=True) if missing}
        return {cell: score for cell, score in scores.compute().items() if cell not in left_out}

    def _agree(self, trainer: pl.Trainer, device: torch.device) -> tuple[Task, int] | None:
        """Learn the task and the number of classes from the processes that had images."""
        own = (-1, 0) if self._kind is None else (TASKS.index(self._kind[0]), self._kind[1])
        task, classes = trainer.strategy.reduce(torch.tensor(own, device=device), reduce_op="max").tolist()
        return None if classes == 0 else (TASKS[task], classes)

    def _metric(self, kind: tuple[Task, int], adapter: Adapter, device: torch.device) -> CorruptionScores:
        task, classes = kind
        return CorruptionScores(self.cells, task, classes, ignore_index=adapter.ignore_index).to(device)
