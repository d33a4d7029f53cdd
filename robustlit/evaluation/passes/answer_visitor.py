"""Gathering a model's answers to the images of a split."""

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.evaluation.passes.answers import AnswerPicker, Answers
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.visiting import Visitor, from_all_processes

__all__ = ["AnswerVisitor", "LogitVisitor"]


class AnswerVisitor(Visitor):
    """Keeps every answer on the CPU; ``answers`` has those of all processes at the end, None without any.

    Args:
        pixels: How many pixels of a mask.
    """

    def __init__(self, pixels: int = 256) -> None:
        self.pixels = pixels
        self.answers: Answers | None = None
        self._parts: list[Answers] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Answer some images."""
        with looking(trainer, module, adapter) as predict:
            self._parts.append(AnswerPicker(adapter, chunk, self.pixels)(predict(chunk.images)).cpu())

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Gather."""
        parts = [part for own in from_all_processes(trainer, self._parts) for part in own]
        self.answers = Answers.joined(parts) if parts else None


class LogitVisitor(Visitor):
    """Keeps the logits N×K and targets of whole images; ``logits`` and ``targets`` are in the order of the index."""

    def __init__(self) -> None:
        self.logits, self.targets = torch.zeros(0, 0), torch.zeros(0)
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Answer some images."""
        with looking(trainer, module, adapter) as predict:
            self._parts.append((predict(chunk.images).cpu(), chunk.targets.cpu(), chunk.ids.cpu()))

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Gather."""
        parts = [part for own in from_all_processes(trainer, self._parts) for part in own]
        if parts:
            logits, targets, ids = (torch.cat(each) for each in zip(*parts, strict=True))
            order = ids.argsort(stable=True)
            self.logits, self.targets = logits[order], targets[order]
