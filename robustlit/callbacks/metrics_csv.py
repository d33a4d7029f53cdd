"""All scalars of a run in one table on disk."""

import csv
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

__all__ = ["MetricsCSV"]

Row = dict[str, str]


class MetricsCSV(pl.Callback):
    """Writes ``metrics.csv`` into the Trainer's ``default_root_dir``: one row an epoch, one column a key.

    The file is replaced in one step after each epoch, so a reader never sees half a table; the row is there before any
    checkpoint of the finished epoch. A resumed run keeps the rows of the epochs before and writes the later ones again;
    the file then equals that of an unbroken run. Cells of keys that an epoch did not log are empty. Its place among the
    callbacks does not matter. It logs nothing itself. In a run of several processes, the first one writes.

    Args:
        filename: Name of the file.
    """

    def __init__(self, filename: str = "metrics.csv") -> None:
        self.filename = filename
        self._rows: list[Row] = []
        self._open: Row | None = None  # the row of an epoch that has ended but may still be logging
        self._earlier: dict[str, Tensor] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read what an interrupted run has written."""
        path = self._path(trainer)
        self._rows = _read(path) if path.exists() else []
        self._open = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the values of the epoch before: a logged value is always a new object."""
        self._close(trainer)
        self._earlier = dict(trainer.callback_metrics)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin the row of this epoch; the module's own hook, which may log too, comes only after this one."""
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            self._open = {"epoch": str(trainer.current_epoch), "step": str(trainer.global_step)}

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write the row before the state that a resume goes on from."""
        self._close(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last row."""
        self._close(trainer)

    def _close(self, trainer: pl.Trainer) -> None:
        """Complete the row of the epoch that has ended, if there is one, and write the table."""
        if self._open is None:
            return
        row, self._open = self._open, None
        metrics = trainer.callback_metrics  # reading them joins the processes, so all of them read
        if not trainer.is_global_zero:
            return
        for key, value in metrics.items():
            if value is not self._earlier.get(key) and not _is_fork(key, metrics):
                row[key] = f"{float(value):.7g}"
        self._rows = [earlier for earlier in self._rows if int(earlier["epoch"]) < int(row["epoch"])]
        self._rows.append(row)
        _write(self._path(trainer), self._rows)

    def _path(self, trainer: pl.Trainer) -> Path:
        return Path(trainer.default_root_dir) / self.filename


def _is_fork(key: str, metrics: dict[str, Tensor]) -> bool:
    """Whether Lightning derived the key from one logged both a step and an epoch: "loss_step" beside "loss"."""
    stem, _, suffix = key.rpartition("_")
    return suffix in ("step", "epoch") and stem in metrics


def _read(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return [{key: cell for key, cell in row.items() if cell} for row in csv.DictReader(file)]


def _write(path: Path, rows: list[Row]) -> None:
    keys = sorted({key for row in rows for key in row} - {"epoch", "step"})
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "step", *keys], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    part.replace(path)
