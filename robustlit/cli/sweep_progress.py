"""What a person sees of a sweep while its jobs run elsewhere: a line when a job begins, and one when it is over."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from robustlit.reports.leaderboard import duration, figure, varied
from robustlit.reports.sweep_jobs import SweepJob, read_jobs

__all__ = ["outcome", "progress"]

INTERVAL = 1.0  # seconds between two looks


@contextmanager
def progress(folder: Path, total: int, at_once: int, interval: float = INTERVAL) -> Iterator[None]:
    """Print how the jobs of a sweep are doing while the block runs.

    Args:
        folder: The sweep's folder.
        total: The number of jobs.
        at_once: How many run together.
        interval: Seconds between two looks.
    """
    watcher = _Watcher(folder, total, at_once)
    done = threading.Event()

    def look() -> None:
        while not done.wait(interval):
            watcher.look()

    thread = threading.Thread(target=look, name="sweep-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        watcher.look()


def outcome(job: SweepJob) -> str:
    """Return how a job stands, in a few words."""
    if job.state == "failed":
        return f"failed: {job.error}"
    figures = [f"clean {figure(job.clean)}"] if job.clean is not None else []
    figures += [f"EXTRA {figure(job.extra)}"] if job.extra is not None else []
    return " · ".join([f"{job.state} in {duration(job.seconds)}" if job.seconds else job.state, *figures])


class _Watcher:
    """Remembers what it has said."""

    def __init__(self, folder: Path, total: int, at_once: int) -> None:
        self.folder, self.total, self.at_once = folder, total, at_once
        self.said = {job.overrides: job.state for job in read_jobs(folder) if job.state == "finished"}
        self.earlier = set(self.said)

    def look(self) -> None:
        """Say what is new."""
        jobs = read_jobs(self.folder)
        keys = varied(jobs)
        for job in jobs:
            if job.state in ("waiting", "stopped") or self.said.get(job.overrides) == job.state:
                continue
            self.said[job.overrides] = job.state
            how = "begins" if job.state == "running" else outcome(job) + self._left(jobs)
            print(f"{job.name(keys, self.total)} {how}", flush=True)

    def _left(self, jobs: Sequence[SweepJob]) -> str:
        """About how long the rest will take, from the jobs that ended in this session."""
        ended = [job.seconds for job in jobs if job.state == "finished" and job.overrides not in self.earlier]
        known = [seconds for seconds in ended if seconds]
        open_jobs = self.total - sum(job.is_over for job in jobs)
        if not known or open_jobs <= 0:
            return ""
        return f" · {open_jobs} left, about {duration(sum(known) / len(known) * open_jobs / self.at_once)}"
