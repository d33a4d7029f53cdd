"""The table of a sweep's jobs, best first, and what a configuration is worth over its seeds."""

import math
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TextIO

from robustlit.reports.sweep_jobs import SEED, SweepJob, read_jobs, read_object
from robustlit.reports.table import text_table

__all__ = ["failure_lines", "leaderboard", "seed_table", "varied", "watch"]

NOTE = "clean and EXTRA mean are validation figures after the last epoch; EXTRA is what may select, tests come after"
CLEAR = "\x1b[H\x1b[2J"


def watch(folder: Path, interval: float = 2.0, stream: TextIO | None = None) -> None:
    """Print the leaderboard of a sweep and renew it until every job is over or the sweep has ended.

    In a terminal the table stays in place; elsewhere it is printed again whenever something but the time has changed.

    Args:
        folder: The sweep's folder, or that of one run.
        interval: Seconds between two looks.
        stream: Where to print; standard output when None.

    Raises:
        ValueError: If the folder has neither jobs nor a run.
    """
    out = stream or sys.stdout
    shown: object = None
    while True:
        jobs = read_jobs(folder)
        if not jobs:
            raise ValueError(f"expected a sweep or a run in {str(folder)!r}, got none; try runs/NAME/sweep-TIME")
        done = all(job.is_over for job in jobs) or "ended" in read_object(folder / "sweep.json")
        facts = [(job.overrides, job.state, job.epoch, job.clean, job.extra) for job in jobs]
        if out.isatty() or facts != shown:
            print((CLEAR if out.isatty() else "") + leaderboard(jobs, _width()), file=out, flush=True)
        shown = facts
        if done:
            return
        time.sleep(interval)


def leaderboard(jobs: Sequence[SweepJob], width: int | None = None) -> str:
    """Return the jobs as a table, the best first: by the EXTRA mean where there is one, else by the clean figure.

    Args:
        jobs: The jobs.
        width: Columns of the terminal; the configurations are shortened to fit.
    """
    keys = varied(jobs)
    header = ("config", SEED, "epoch", "clean", "EXTRA", "state", "time")
    lines = [
        (
            job.config(keys) or "run",
            job.seed,
            f"{job.epoch}/{job.epochs}" if job.epochs else str(job.epoch),
            figure(job.clean),
            figure(job.extra),
            job.state,
            duration(job.seconds),
        )
        for job in sorted(jobs, key=_rank)
    ]
    counts = ", ".join(f"{len(found)} {state}" for state, found in _by_state(jobs).items())
    parts = [_fitted(header, lines, width, (False, True, True, True, True, False, True)), *failure_lines(jobs, width)]
    return "\n".join([*parts, f"{len(jobs)} jobs: {counts}"])


def seed_table(jobs: Sequence[SweepJob], width: int | None = None) -> str:
    """Return the mean ± sample standard deviation over the seeds of every configuration; finished jobs only.

    Args:
        jobs: The jobs.
        width: Columns of the terminal.
    """
    keys = varied(jobs)
    groups: dict[str, list[SweepJob]] = {}
    for job in jobs:
        if job.state == "finished":
            groups.setdefault(job.config(keys) or "run", []).append(job)
    ordered = sorted(groups.items(), key=lambda pair: _order(*(_mean(_of(pair[1], key)) for key in ("extra", "clean"))))
    lines = [(name, str(len(own)), spread(_of(own, "clean")), spread(_of(own, "extra"))) for name, own in ordered]
    table = _fitted(("config", "runs", "clean", "EXTRA"), lines, width, (False, True, True, True))
    return f"mean ± standard deviation over seeds\n{table}\n" + textwrap.fill(NOTE, width or 120)


def failure_lines(jobs: Iterable[SweepJob], width: int | None = None) -> list[str]:
    """Return what went wrong, a line a job and more where it is long."""
    lines = []
    for job in jobs:
        if job.state == "failed":
            text = f"job {job.number + 1} failed: {job.error}"
            lines += textwrap.wrap(text, width or 120, subsequent_indent="  ")
    return lines


def varied(jobs: Iterable[SweepJob]) -> list[str]:
    """Return the keys whose values differ between jobs, the seed left out."""
    values: dict[str, set[str]] = {}
    every = [job.settings for job in jobs]
    for key in dict.fromkeys(key for pairs in every for key in pairs):
        values[key] = {pairs.get(key, "") for pairs in every}
    return [key for key, found in values.items() if len(found) > 1 and key != SEED]


def figure(value: float | None) -> str:
    """Write a score; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def spread(values: Sequence[float]) -> str:
    """Write the mean and the sample standard deviation.

    Example:
        >>> spread([0.5, 0.7]), spread([0.5]), spread([])
        ('0.6000 ± 0.1414', '0.5000', '–')
    """
    if not values:
        return "–"
    return figure(mean(values)) + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def duration(seconds: float | None) -> str:
    """Write a time.

    Example:
        >>> duration(42.3), duration(3661), duration(None)
        ('42 s', '1:01:01', '')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _of(jobs: Iterable[SweepJob], name: str) -> list[float]:
    found = (getattr(job, name) for job in jobs)
    return [value for value in found if value is not None and not math.isnan(value)]


def _mean(values: Sequence[float]) -> float | None:
    return mean(values) if values else None


def _rank(job: SweepJob) -> tuple[bool, float, float, int]:
    return (job.state in ("failed", "waiting"), *_order(job.extra, job.clean), job.number)


def _order(extra: float | None, clean: float | None) -> tuple[float, float]:
    """Sort the best first, and what is not known last."""
    first, second = (0.0 if value is None or math.isnan(value) else -value for value in (extra, clean))
    return first, second


def _by_state(jobs: Iterable[SweepJob]) -> dict[str, list[SweepJob]]:
    states: dict[str, list[SweepJob]] = {}
    for job in sorted(jobs, key=lambda job: ("finished", "running", "waiting", "failed", "stopped").index(job.state)):
        states.setdefault(job.state, []).append(job)
    return states


def _fitted(header: Sequence[str], lines: Sequence[Sequence[str]], width: int | None, right: Sequence[bool]) -> str:
    """Align the columns, the first one shortened so that the table fits the terminal."""
    if width is not None and lines:
        others = sum(max(map(len, column)) + 2 for column in list(zip(header, *lines, strict=True))[1:])
        room = max(12, width - others)
        lines = [(_shortened(line[0], room), *line[1:]) for line in lines]
    return text_table(header, lines, right)


def _shortened(text: str, room: int) -> str:
    """Leave out the middle of a text that is too long.

    Example:
        >>> _shortened("augmentation=patch_gaussian", 15)
        'augment…aussian'
    """
    if len(text) <= room:
        return text
    half = (room - 1) // 2
    return f"{text[: room - 1 - half]}…{text[-half:]}"


def _width() -> int:
    return shutil.get_terminal_size((120, 24)).columns
