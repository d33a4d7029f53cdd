"""Judging a model's answers to clean and corrupted images, before and after temperature scaling, in one pass."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.passes.answers import AnswerPicker, Answers
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.visiting import Visitor, from_all_processes
from robustlit.metrics.cells import Cell
from robustlit.metrics.proper_scores import Judged, judge

__all__ = ["CalibrationVisitor"]


class CalibrationVisitor(Visitor):
    """Keeps the clean answers, and of the corrupted ones what they are worth.

    ``clean`` has the answers of all processes, None without any; ``judged`` has a list a cell, with an entry a
    temperature, and ``images`` the image of each answer, in the same order.

    Args:
        cells: The corrupted cells.
        conditions: How they are made.
        temperatures: What logits are divided by.
        pixels: How many pixels of a mask.
    """

    def __init__(
        self, cells: Sequence[CorruptionCell], conditions: Conditions, temperatures: Sequence[float], pixels: int
    ) -> None:
        self.cells, self.conditions = cells, conditions
        self.temperatures, self.pixels = temperatures, pixels
        self.clean: Answers | None = None
        self.judged: dict[Cell, list[Judged]] = {}
        self._parts: list[tuple[Answers, dict[Cell, list[Judged]]]] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Answer some images, as they are and in every cell."""
        pick = AnswerPicker(adapter, chunk, self.pixels)
        judged: dict[Cell, list[Judged]] = {}
        with looking(trainer, module, adapter) as predict:
            clean = pick(predict(chunk.images)).cpu()
            for cell in self.cells:
                images, _ = self.conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
                answers = pick(predict(images))
                every = (judge(answers.logits, answers.targets, each) for each in self.temperatures)
                judged[cell.key] = [Judged(*(part.cpu() for part in one)) for one in every]
        self._parts.append((clean, judged))

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Gather."""
        parts = [part for own in from_all_processes(trainer, self._parts) for part in own]
        if not parts:
            return
        order = torch.cat([clean.images for clean, _ in parts]).argsort(stable=True)
        self.clean = Answers.joined([clean for clean, _ in parts])
        for cell in self.cells:
            by_part = [judged[cell.key] for _, judged in parts]
            self.judged[cell.key] = [
                Judged(*(torch.cat(column)[order] for column in zip(*same, strict=True)))
                for same in zip(*by_part, strict=True)
            ]
