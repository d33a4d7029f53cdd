"""How fast the run trains."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

from robustlit.callbacks.cost import log_cost
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

    A batch that cannot be read is one warning, and the run goes on without ``cost/images_per_second``.

    Args:
        adapter: How to find the targets of a batch, which are counted; by default as the module's ``adapter`` says,
            else the automatic one.
    """

    def __init__(self, adapter: Adapter | None = None) -> None:
        self.adapter = adapter
        self._is_readable = True
        self._images = 0
        self._epoch_started = 0.0
        self._validation_started = 0.0
        self._validation_seconds = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock here too: an epoch that is resumed in the middle has no start of its own."""
        self._is_readable = True
        self._restart()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of the epoch."""
        self._restart()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the images of the batch."""
        if not self._is_readable:
            return
        adapter = self.adapter or Adapter.for_module(pl_module)
        try:
            self._images += len(adapter.targets(batch))
        except (TypeError, LookupError, AttributeError) as error:
            self._is_readable = False
            rank_zero_warn(f"Throughput logs no cost/images_per_second: {error}")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the training clock."""
        self._validation_started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the training clock run on."""
        self._validation_seconds += time.perf_counter() - self._validation_started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log both figures."""
        seconds = time.perf_counter() - self._epoch_started
        log_cost(pl_module, "epoch_seconds", seconds)
        if self._is_readable:
            images = self._images * trainer.world_size
            log_cost(pl_module, "images_per_second", images / max(seconds - self._validation_seconds, 1e-9))

    def _restart(self) -> None:
        self._images = 0
        self._validation_seconds = 0.0
        self._epoch_started = time.perf_counter()
