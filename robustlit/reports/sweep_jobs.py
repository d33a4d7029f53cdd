"""What the jobs of a sweep have reached, read from the files that they leave: also while they run, from anywhere."""

import csv
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

__all__ = [
    "EXTRA",
    "JOB_FILE",
    "SEED",
    "SWEEP_FILE",
    "SweepJob",
    "is_alive",
    "last_figures",
    "read_jobs",
    "read_object",
]

SWEEP_FILE = "sweep.json"
JOB_FILE = "job.json"
EXTRA = "robust/corruption/extra_mean"
SEED = "seed"
HEADLINES = ("val/accuracy", "val/auroc", "val/iou")  # of a run that has no results yet


@dataclass(frozen=True)
class SweepJob:
    """One job of a sweep.

    Args:
        number: Its place in the sweep, the first being 0.
        overrides: The settings that it was started with: "augmentation=augmix", "seed=1".
        state: "waiting", "running", "finished", "failed", or "stopped" where its process ended without a word.
        folder: The run folder; None before it has one.
        epoch: Number of finished epochs.
        epochs: Number of epochs that are to be trained.
        clean: The last validation figure of the task: accuracy, AUROC or IoU in [0, 1].
        extra: The last validation score under the EXTRA corruptions, in [0, 1].
        seconds: Wall-clock time spent on it.
        error: What went wrong, in one line.
    """

    number: int
    overrides: tuple[str, ...]
    state: str = "waiting"
    folder: Path | None = None
    epoch: int = 0
    epochs: int | None = None
    clean: float | None = None
    extra: float | None = None
    seconds: float | None = None
    error: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """The overrides as keys and values."""
        return {key.lstrip("+"): value for key, _, value in (word.partition("=") for word in self.overrides)}

    @property
    def seed(self) -> str:
        """The seed that it was given; empty where it has the configuration's."""
        return self.settings.get(SEED, "")

    def config(self, keys: Sequence[str]) -> str:
        """Return what makes it different from the others, the seed left out.

        Args:
            keys: The keys that differ.

        Example:
            >>> job = SweepJob(0, ("task.optimizer.lr=0.1", "augmentation=augmix", "seed=1"))
            >>> job.config(["task.optimizer.lr", "augmentation"]), job.config(["augmentation", "seed"])
            ('lr=0.1 augmentation=augmix', 'augmix')
        """
        keys = [key for key in keys if key != SEED]
        if len(keys) == 1:
            return self.settings.get(keys[0], "")
        last = [key.rpartition(".")[2] for key in keys]
        names = [name if last.count(name) == 1 else key for key, name in zip(keys, last, strict=True)]
        known = [(name, self.settings[key]) for key, name in zip(keys, names, strict=True) if key in self.settings]
        return " ".join(f"{name}={value}" for name, value in known)

    def name(self, keys: Sequence[str], total: int | None = None) -> str:
        """Return what a person calls it: "job 2 of 8 (augmix seed 1)".

        Args:
            keys: The keys that differ between jobs.
            total: The number of jobs, where it is known.
        """
        label = " ".join(filter(None, [self.config(keys), f"seed {self.seed}" if self.seed else ""]))
        return f"job {self.number + 1}" + (f" of {total}" if total else "") + (f" ({label})" if label else "")

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("finished", "failed", "stopped")


def read_jobs(folder: Path) -> list[SweepJob]:
    """Return the jobs of a sweep in their order, those to come included where they are known.

    A folder that holds one run is a sweep of one job.

    Args:
        folder: The sweep's folder.
    """
    jobs = [_read_job(path.parent) for path in sorted(folder.glob(f"*/{JOB_FILE}"))]
    if not jobs and (folder / "config.yaml").is_file():
        return [_lone_run(folder)]
    begun = {job.overrides for job in jobs}
    planned = read_object(folder / SWEEP_FILE).get("jobs") or []
    waiting = [SweepJob(number, tuple(overrides)) for number, overrides in enumerate(planned)]
    numbers = {job.overrides: job.number for job in waiting}
    jobs = [replace(job, number=numbers.get(job.overrides, job.number)) for job in jobs]
    jobs += [job for job in waiting if job.overrides not in begun]
    return sorted(jobs, key=lambda job: job.number)


def read_object(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; empty where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def is_alive(process: dict[str, Any]) -> bool:
    """Whether a process that wrote down its ``host`` and ``pid`` may still run; on another host nobody can tell."""
    if process.get("host") != socket.gethostname():
        return True
    try:
        os.kill(int(process["pid"]), 0)
        state = Path(f"/proc/{process['pid']}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:  # another user's, or a system without /proc
        return True
    return state != "Z"  # ended, though nobody has asked how


def last_figures(path: Path) -> tuple[int, dict[str, float]]:
    """Return the number of epochs in a ``metrics.csv`` and the last value of every key."""
    figures: dict[str, float] = {}
    epochs = 0
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                epochs = int(row.pop("epoch")) + 1
                figures.update({key: float(cell) for key, cell in row.items() if cell})
    except FileNotFoundError:
        pass
    return epochs, figures


def _read_job(folder: Path) -> SweepJob:
    about, failure = read_object(folder / JOB_FILE), read_object(folder / "failure.json")
    results = read_object(folder / "results.json")
    if results:
        state = "finished"
    elif failure:
        state = "failed"
    else:
        state = "running" if "ended" not in about and is_alive(about) else "stopped"
    seconds = about.get("seconds", 0.0)
    if "ended" not in about and state != "stopped":
        seconds += time.time() - about.get("started", time.time())
    job = SweepJob(
        number=about.get("number", 0),
        overrides=tuple(about.get("overrides", ())),
        state=state,
        folder=folder,
        epochs=about.get("epochs"),
        seconds=seconds or None,
        error=failure.get("error", "") if state == "failed" else "",
    )
    return _with_figures(job, folder, results.get("headline"))


def _lone_run(folder: Path) -> SweepJob:
    results, failure = read_object(folder / "results.json"), read_object(folder / "failure.json")
    state = "finished" if results else "failed" if failure else "running"
    error = failure.get("error", "") if state == "failed" else ""
    job = SweepJob(0, (), state, folder, seconds=results.get("seconds"), error=error)
    return _with_figures(job, folder, results.get("headline"))


def _with_figures(job: SweepJob, folder: Path, headline: str | None) -> SweepJob:
    epoch, figures = last_figures(folder / "metrics.csv")
    key = headline or next((key for key in HEADLINES if key in figures), "")
    return replace(job, epoch=epoch, clean=figures.get(key), extra=figures.get(EXTRA))
