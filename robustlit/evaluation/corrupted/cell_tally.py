"""Scores of corrupted images, cell by cell."""

from collections.abc import Sequence

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

from robustlit.core import Adapter
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.score_tally import ScoreTally
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.metrics.cells import CLEAN, Cell, CellScore

__all__ = ["CellTally"]


class CellTally:
    """Corrupts images and counts what a module says of them.

    Args:
        cells: The cells of this evaluation; the images as they are, ``CLEAN``, come first by themselves.
        conditions: How they are made.
        cap: Which of them there is time for.
        outcomes: Gets every image's too.
    """

    def __init__(
        self,
        cells: Sequence[CorruptionCell],
        conditions: Conditions,
        cap: TimeCap[Cell],
        outcomes: Outcomes | None = None,
    ) -> None:
        self.cells = tuple(cells)
        self.conditions = conditions
        self.cap = cap
        self._scores = ScoreTally((CLEAN, *(cell.key for cell in cells)), outcomes)

    @property
    def keys(self) -> tuple[Cell, ...]:
        """The keys of what is scored, ``CLEAN`` first."""
        return self._scores.cells

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Score every cell on some images."""
        if self._scores.outcomes is not None:
            self._scores.outcomes.begin(chunk.ids)
        with looking(trainer, module, adapter) as predict:
            self._scores.update(adapter, CLEAN, predict(chunk.images), chunk.targets)
            for cell in self.cells:
                if self.cap.allows(cell.key):
                    images, targets = self.conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
                    self._scores.update(adapter, cell.key, predict(images), targets)
                    self.cap.spent(cell.key)
        self.cap.done(len(chunk))

    def compute(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> dict[Cell, CellScore]:
        """Return the scores of all processes together, the same on each, without cells that one had no time for."""
        found = self._scores.compute(trainer, module.device, adapter, self.cap.dropped)
        left_out = len(self.keys) - len(found)
        if found and left_out:
            rank_zero_warn(
                f"{left_out} of {len(self.keys)} cells did not fit into max_seconds={self.cap.seconds:g}, so they were "
                "left out; try fewer images, a smaller rotate or a larger max_seconds"
            )
        return found
