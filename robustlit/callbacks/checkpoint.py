"""Checkpoints under fixed file names: the last state to resume from, and the best by one key."""

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint

from robustlit.callbacks.direction import mode_of
from robustlit.callbacks.freshness import FreshMonitor, Freshness

__all__ = ["BestCheckpoint", "LastCheckpoint"]


class _OneFile(ModelCheckpoint):
    """A checkpoint file that is replaced in one step, in ``<default_root_dir>/checkpoints`` unless told otherwise.

    Lightning writes to the temporary folder and moves the file, which is a copy where that folder is another file
    system: a process killed meanwhile leaves half a file. Here the new file is complete beside the old one first.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Settle the folder before Lightning derives one from the loggers."""
        if self.dirpath is None:
            self.dirpath = os.path.realpath(Path(trainer.default_root_dir) / "checkpoints")
        super().setup(trainer, pl_module, stage)

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        part = f"{filepath}.part"
        super()._save_checkpoint(trainer, part)
        if trainer.is_global_zero:
            Path(part).replace(filepath)
        trainer.strategy.barrier()
        self._last_checkpoint_saved = filepath


class BestCheckpoint(FreshMonitor, _OneFile):
    """Keeps the checkpoint with the best value of one key, always in the same file.

    A validation that did not log the key (evaluation every n epochs) is skipped: neither an error nor a second look at
    the old value. It saves when validation ends, before :class:`LastCheckpoint`, so that a resumed run knows the best
    score; with Lightning's weight averaging the file holds the averaged weights that were evaluated.

    It logs nothing; ``best_model_path`` and ``best_model_score`` tell what was kept.

    Args:
        monitor: The key, logged by validation (``val/…``, ``robust/…``), not by training.
        mode: "max" if larger is better, "min" if smaller is; by default "min" for keys that end in ``loss`` or
            ``calibration_error``, "max" for all others.
        filename: File name without folder or ".ckpt".
        dirpath: Folder; default ``checkpoints`` in the Trainer's ``default_root_dir``.

    Raises:
        ValueError: At the end of training, if no validation logged the key; names the nearest key there is.
    """

    def __init__(
        self,
        monitor: str,
        mode: str | None = None,
        filename: str = "best_clean",
        dirpath: str | Path | None = None,
    ) -> None:
        super().__init__(
            dirpath=dirpath,
            filename=filename,
            monitor=monitor,
            mode=mode or mode_of(monitor),
            auto_insert_metric_name=False,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        )
        self._fresh = Freshness(monitor)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say so if the key never came."""
        if self.best_model_score is None:
            self._fresh.require(trainer)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score, also where the run folder was moved; a new folder starts afresh."""
        path = self.format_checkpoint_name({})
        score = state_dict["best_model_score"]
        if score is not None and Path(path).exists():
            self.best_model_score = self.current_score = self.kth_value = score
            self.best_model_path = self.kth_best_model_path = path
            self.best_k_models = {path: score}


class LastCheckpoint(_OneFile):
    """Keeps the state to resume from in ``last.ckpt``: after every epoch, and on request more often.

    The file is replaced in one step, so a run killed at any moment leaves a whole checkpoint. It saves after all
    callbacks and monitors of the epoch have run, and inside an epoch only between optimizer steps, where no
    accumulated gradient is lost.

    It logs nothing.

    Args:
        every_n_train_steps: Also save after so many optimizer steps; None for never.
        every_n_minutes: Also save when the last save is so many minutes ago; None for never.
        dirpath: Folder; default ``checkpoints`` in the Trainer's ``default_root_dir``.

    Raises:
        ValueError: If an interval is not positive.
    """

    def __init__(
        self,
        every_n_train_steps: int | None = None,
        every_n_minutes: float | None = None,
        dirpath: str | Path | None = None,
    ) -> None:
        for name, value in (("every_n_train_steps", every_n_train_steps), ("every_n_minutes", every_n_minutes)):
            if value is not None and value <= 0:
                raise ValueError(f"expected {name} > 0 or null, got {value}; try null to save after every epoch only")
        super().__init__(dirpath=dirpath, filename="last", save_on_train_epoch_end=True, enable_version_counter=False)
        self._steps = every_n_train_steps
        self._seconds = None if every_n_minutes is None else 60 * every_n_minutes
        self._saved_at = 0.0
        self._seen_step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start counting steps and minutes."""
        self._saved_at = time.monotonic()
        self._seen_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save inside the epoch if it is due; the last batch is left to the end of the epoch."""
        stepped = trainer.global_step != self._seen_step
        self._seen_step = trainer.global_step
        if stepped and not trainer.is_last_batch and self._due(trainer):
            self._save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after every epoch."""
        self._save(trainer)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore nothing: there is one file, and where it belongs is said by the Trainer that saves next."""

    def _due(self, trainer: pl.Trainer) -> bool:
        by_steps = self._steps is not None and trainer.global_step % self._steps == 0
        by_time = self._seconds is not None and time.monotonic() - self._saved_at >= self._seconds
        # the clocks of processes differ, and saving is a joint act
        return by_steps or (self._seconds is not None and bool(trainer.strategy.broadcast(by_time)))

    def _save(self, trainer: pl.Trainer) -> None:
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            self._saved_at = time.monotonic()
            self._save_none_monitor_checkpoint(trainer, {})
