"""Visiting the chosen images of a split inside a Trainer's test loop, whatever the module's own test step does."""

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.passes.gathering import Chunk, Gathering
from robustlit.evaluation.passes.looking import first_loader
from robustlit.evaluation.passes.part import chosen_part
from robustlit.evaluation.passes.selection import Selection
from robustlit.evaluation.passes.standing_in import stand_in

__all__ = ["SplitPass", "Visitor", "from_all_processes", "visit"]

Thing = TypeVar("Thing")


class Visitor(ABC):
    """What is done with the images."""

    @abstractmethod
    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Look at a batch of chosen images."""

    @abstractmethod
    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """End: every process is here, whether or not it had images."""


class SplitPass(pl.LightningModule):
    """Takes visitors through splits of a data module, or through others that its loaders can read.

    Args:
        module: The module that is looked at; left as it was.
        datamodule: Whose batch size and workers are used.
        trainer: Moves the batches and sets the precision.
        images: How many images of a split, chosen by a hash of their index; None for all. No others are read.
        batch_size: Images in a chunk; None for as many as the loader's batches have.
    """

    def __init__(
        self,
        module: pl.LightningModule,
        datamodule: VisionDataModule,
        trainer: pl.Trainer,
        images: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.adapter = Adapter.for_module(module)
        self.images, self.batch_size = images, batch_size
        self._around = (datamodule, trainer)

    def visit(self, visitor: Visitor, name: str, split: Any) -> None:
        """Take a visitor through one split."""
        datamodule, trainer = self._around
        self.visitor = visitor
        stand_in(self, {name: chosen_part(split, self.images)}, self.module, datamodule, trainer)

    def on_test_epoch_start(self) -> None:
        """Begin."""
        loader = first_loader(self.trainer.test_dataloaders)
        self.gathering = Gathering(Selection(), self.adapter, loader, self.batch_size)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Look at the images of a batch."""
        for chunk in self.gathering.add(batch):
            self.visitor.look(self.trainer, self.module, self.adapter, chunk)

    def on_test_epoch_end(self) -> None:
        """Look at what is left, and end."""
        for chunk in self.gathering.rest():
            self.visitor.look(self.trainer, self.module, self.adapter, chunk)
        self.visitor.finish(self.trainer, self.module, self.adapter)


def visit(
    visitor: Visitor,
    images: int | None,
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
    batch_size: int | None = None,
) -> None:
    """Take a visitor through the one test split of a data module; the arguments are those of :class:`SplitPass`."""
    ((name, split),) = datamodule.test_sets.items()
    SplitPass(module, datamodule, trainer, images, batch_size).visit(visitor, name, split)


def from_all_processes(trainer: pl.Trainer, thing: Thing) -> list[Thing]:
    """Return what every process has, in the order of their ranks."""
    if trainer.world_size == 1:
        return [thing]
    found: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(found, thing)
    return found
