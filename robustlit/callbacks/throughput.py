"""How fast the run trains."""

import time
from typing import Any

import pytorch_lightning as pl

from robustlit.core import Adapter

__all__ = ["Throughput"]


class Throughput(pl.Callback):
    """Logs the speed of every epoch, as the wall clock sees it, waiting for data included.

    ============================  =====================================================================
    key                           meaning
    ============================  =====================================================================
    ``cost/images_per_second``    training images of all processes a second, validation not counted
    ``cost/epoch_seconds``        seconds of the whole epoch, validation and callbacks included
    ============================  =====================================================================
    """

    def __init__(self) -> None:
        self._images = 0
        self._epoch_started = 0.0
        self._validation_started = 0.0
        self._validation_seconds = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock here too: an epoch that is resumed in the middle has no start of its own."""
        self._restart()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of the epoch."""
        self._restart()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the images of the batch."""
        self._images += len(Adapter.for_module(pl_module).targets(batch))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the training clock."""
        self._validation_started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the training clock run on."""
        self._validation_seconds += time.perf_counter() - self._validation_started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log both figures."""
        epoch_seconds = time.perf_counter() - self._epoch_started
        images = self._images * trainer.world_size
        speed = images / max(epoch_seconds - self._validation_seconds, 1e-9)
        pl_module.log_dict({"cost/images_per_second": speed, "cost/epoch_seconds": epoch_seconds}, rank_zero_only=True)

    def _restart(self) -> None:
        self._images = 0
        self._validation_seconds = 0.0
        self._epoch_started = time.perf_counter()
