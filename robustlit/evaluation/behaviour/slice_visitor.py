"""Scoring slices of a split: every image once, counted in each slice it belongs to."""

from collections.abc import Mapping

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter
from robustlit.evaluation.behaviour.slice_table import in_order
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.score_tally import ScoreTally
from robustlit.evaluation.passes.visiting import Visitor
from robustlit.metrics.cells import Cell, CellScore

__all__ = ["ALL", "SliceVisitor"]

ALL: Cell = ("all", 0)  # every image of the split


class SliceVisitor(Visitor):
    """Counts answers by slice; ``scores`` has those of all processes, by (column, value), and ``whole`` that of all.

    Args:
        values: The value of every image by index, for every column.
    """

    def __init__(self, values: Mapping[str, Mapping[int, str]]) -> None:
        self.values = values
        pairs = [(column, value) for column, of in values.items() for value in in_order(of.values())]
        self._cells: dict[tuple[str, str], Cell] = {
            pair: ("/".join(pair), place) for place, pair in enumerate(pairs, 1)
        }
        self._tally = ScoreTally((ALL, *self._cells.values()))
        self.scores: dict[tuple[str, str], CellScore] = {}
        self.whole: CellScore | None = None

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Score some images."""
        with looking(trainer, module, adapter) as predict:
            logits = predict(chunk.images)
            self._tally.update(adapter, ALL, logits, chunk.targets)
            ids = chunk.ids.tolist()
            for column, of in self.values.items():
                places: dict[str, list[int]] = {}
                for place, index in enumerate(ids):
                    places.setdefault(of[index], []).append(place)
                for value, own in places.items():
                    rows = torch.tensor(own, device=logits.device)
                    self._tally.update(adapter, self._cells[column, value], logits[rows], chunk.targets[rows])

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Add up."""
        found = self._tally.compute(trainer, module.device, adapter)
        self.whole = found.get(ALL)
        self.scores = {pair: found[cell] for pair, cell in self._cells.items() if cell in found}
