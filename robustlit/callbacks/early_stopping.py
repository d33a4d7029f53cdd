"""Stopping when one key no longer improves, counted in evaluations."""

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping as LightningEarlyStopping

from robustlit.callbacks.direction import mode_of
from robustlit.callbacks.freshness import FreshMonitor, Freshness

__all__ = ["EarlyStopping"]


class EarlyStopping(FreshMonitor, LightningEarlyStopping):
    """Stops training when a key has not improved over so many evaluations.

    A validation that did not log the key (evaluation every n epochs) does not count against the patience.

    It logs nothing.

    Args:
        monitor: The key, logged by validation, not by training.
        patience: Evaluations without improvement before training stops.
        mode: "max" if larger is better, "min" if smaller is; by default "min" for keys that end in ``loss`` or
            ``calibration_error``, "max" for all others.
        min_delta: Smallest change that counts as an improvement, in units of the key.

    Raises:
        ValueError: At the end of training, if no validation logged the key; names the nearest key there is.
    """

    def __init__(self, monitor: str, patience: int = 5, mode: str | None = None, min_delta: float = 0.0) -> None:
        super().__init__(
            monitor=monitor,
            patience=patience,
            mode=mode or mode_of(monitor),
            min_delta=min_delta,
            strict=False,
            check_on_train_epoch_end=False,
        )
        self._fresh = Freshness(monitor)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say so if the key never came."""
        if not torch.isfinite(self.best_score):
            self._fresh.require(trainer)
