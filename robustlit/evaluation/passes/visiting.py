"""Visiting the chosen images of a data module's test split, inside the Trainer's own test loop."""

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.passes.gathering import Chunk, Gathering
from robustlit.evaluation.passes.looking import first_loader
from robustlit.evaluation.passes.selection import Selection

__all__ = ["Visitor", "from_all_processes", "visit"]

Thing = TypeVar("Thing")


class Visitor(ABC):
    """What is done with the images."""

    @abstractmethod
    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Look at a batch of chosen images."""

    @abstractmethod
    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """End: every process is here, whether or not it had images."""


def visit(
    visitor: Visitor,
    images: int | None,
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
    batch_size: int | None = None,
) -> None:
    """Take a visitor through one test split.

    Args:
        visitor: What is done.
        images: How many images, chosen by a hash of their index; None for all.
        module: The module; left as it was.
        datamodule: With one test split.
        trainer: Moves the batches.
        batch_size: Images in a chunk; None for as many as the loader's batches have.
    """
    guide = _Guide(visitor, images, batch_size)
    trainer.callbacks.append(guide)  # type: ignore[attr-defined]
    try:
        trainer.test(module, datamodule=datamodule, verbose=False)
    finally:
        trainer.callbacks.remove(guide)  # type: ignore[attr-defined]


def from_all_processes(trainer: pl.Trainer, thing: Thing) -> list[Thing]:
    """Return what every process has, in the order of their ranks."""
    if trainer.world_size == 1:
        return [thing]
    found: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(found, thing)
    return found


class _Guide(pl.Callback):
    """Takes the batches of the test loop."""

    def __init__(self, visitor: Visitor, images: int | None, batch_size: int | None) -> None:
        self.visitor, self.batch_size = visitor, batch_size
        self.selection = Selection(images)

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.adapter = Adapter.for_module(pl_module)
        self.gathering = Gathering(
            self.selection, self.adapter, first_loader(trainer.test_dataloaders), self.batch_size
        )

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        for chunk in self.gathering.add(batch):
            self.visitor.look(trainer, pl_module, self.adapter, chunk)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for chunk in self.gathering.rest():
            self.visitor.look(trainer, pl_module, self.adapter, chunk)
        self.visitor.finish(trainer, pl_module, self.adapter)
