"""One session of a run: from the start, or from the checkpoint, to the end of training."""

import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl

__all__ = ["Session"]


class Session(pl.Callback):
    """Says when training really begins, and keeps what results need in every checkpoint.

    A run that is killed while it is tested has nothing left to train when it is resumed; the seconds and validation
    figures of its training then come from the checkpoint. It logs nothing.

    Args:
        begin: Called on the first process when training begins: the checkpoint has been restored by then, so nothing
            can be refused any more, and every process has read the run's files.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self.validation: dict[str, float] = {}
        self._begin = begin
        self._seconds_before = 0.0
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of all sessions until now, without the work that a kill threw away."""
        return self._seconds_before + time.perf_counter() - self._start

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Call ``begin``."""
        if trainer.is_global_zero:
            self._begin()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the figures."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            metrics = trainer.callback_metrics
            figures = {key: value for key, value in metrics.items() if key.startswith(("val/", "robust/"))}
            self.validation = {key: float(value) for key, value in figures.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        return {"seconds": self.seconds, "validation": self.validation}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Add to the earlier sessions."""
        self._seconds_before, self.validation = state_dict["seconds"], state_dict["validation"]
