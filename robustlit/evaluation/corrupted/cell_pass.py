"""Scoring cells on a split."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter
from robustlit.evaluation.corrupted.cell_tally import CellTally
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.corrupted.worst_pictures import WorstPictures
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.evaluation.passes.visiting import Visitor
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import Cell, CellScore

__all__ = ["CellPass", "CellsFound"]


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


class CellPass(Visitor):
    """Scores the clean images and every cell in one pass; ``found`` has what it comes to.

    Args:
        cells: The cells.
        conditions: How they are made.
        names: The class names, for the pictures.
    """

    def __init__(self, cells: Sequence[CorruptionCell], conditions: Conditions, names: Sequence[str] = ()) -> None:
        self.cells, self.conditions = cells, conditions
        self.outcomes, self.pictures = Outcomes(), WorstPictures(names)
        self.tally = CellTally(cells, conditions, TimeCap(None, (), None, torch.device("cpu")), self.outcomes)
        self.found = CellsFound({}, {}, {})

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Score some images in every cell."""
        self.pictures.keep(trainer, chunk)
        self.tally.look(trainer, module, adapter, chunk)

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Add up, and draw what breaks the model most."""
        scores = self.tally.compute(trainer, module, adapter)
        pictures = self.pictures.draw(trainer, module, adapter, self.cells, self.conditions, scores)
        self.found = CellsFound(scores, self.outcomes.arrays(trainer), pictures)
