"""Whether a validation logged a key, or the Trainer still holds the value of an earlier one."""

import pytorch_lightning as pl
from torch import Tensor

from robustlit.core.names import unknown_name

__all__ = ["FreshMonitor", "Freshness"]


class Freshness:
    """Reads a key from ``trainer.callback_metrics`` only if the validation that just ended logged it.

    Lightning keeps the last value of every key, so after an epoch without evaluation a monitor would see the old one
    again. Every logged value is a new tensor object, and between validations the objects stay: a key is fresh if its
    object changed between the start and the end of the validation.

    Args:
        key: The key to follow; validation must log it.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self._earlier: Tensor | None = None
        self._missing = False

    def start(self, trainer: pl.Trainer) -> None:
        """Note what the key holds before the validation; call it in ``on_validation_start``."""
        self._earlier = trainer.callback_metrics.get(self.key)

    def has_value(self, trainer: pl.Trainer) -> bool:
        """Return whether the validation logged the key; call it in ``on_validation_end``."""
        value = trainer.callback_metrics.get(self.key)
        self._missing = value is None and not trainer.sanity_checking
        return value is not None and value is not self._earlier

    def require(self, trainer: pl.Trainer) -> None:
        """Raise if there were validations and none ever logged the key; call it in ``on_train_end``.

        Raises:
            ValueError: With the nearest key that was logged.
        """
        if self._missing and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            raise unknown_name("key that validation logs", self.key, trainer.callback_metrics)


class FreshMonitor(pl.Callback):
    """Lets a monitoring callback of Lightning's, the next base class, see only validations that logged its key.

    The subclass sets ``_fresh``.
    """

    _fresh: Freshness

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the value of the validation before."""
        self._fresh.start(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at the key if this validation logged it."""
        if self._fresh.has_value(trainer):
            super().on_validation_end(trainer, pl_module)
