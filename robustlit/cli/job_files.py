"""The files by which a job of a sweep tells others how it is doing: ``job.json`` and ``failure.json``."""

import os
import socket
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robustlit.cli.errors import describe
from robustlit.cli.sweep_process import JobError
from robustlit.reports.files import write_json, write_text
from robustlit.reports.sweep_jobs import JOB_FILE, read_object

__all__ = ["FAILURE_FILE", "JobFiles"]

FAILURE_FILE = "failure.json"


@dataclass
class JobFiles:
    """Writes them.

    Args:
        folder: The job's run folder.
        number: Its place in the sweep, the first being 0.
        overrides: The settings that it was started with.
    """

    folder: Path
    number: int
    overrides: list[str]
    about: dict[str, Any] = field(default_factory=dict)

    def begin(self, epochs: object) -> None:
        """Say that this process has begun the job; an earlier failure is history."""
        before = read_object(self.folder / JOB_FILE).get("seconds", 0.0)
        (self.folder / FAILURE_FILE).unlink(missing_ok=True)
        self.about = {
            "number": self.number,
            "overrides": self.overrides,
            "epochs": epochs,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": time.time(),
            "seconds": before,
        }
        write_json(self.folder / JOB_FILE, self.about)

    def end(self) -> None:
        """Say that the job is over, however it went."""
        now = time.time()
        spent = self.about["seconds"] + now - self.about["started"]
        write_json(self.folder / JOB_FILE, {**self.about, "ended": now, "seconds": round(spent, 1)})

    def failed(self, error: Exception) -> None:
        """Write down what went wrong, and where the traceback is."""
        if isinstance(error, JobError):
            where = self.folder / "log.txt"
        else:
            where = self.folder / "traceback.txt"
            write_text(where, "".join(traceback.format_exception(error)))
        failure = {
            "error": describe(error),
            "overrides": self.overrides,
            "time": time.strftime("%Y-%m-%d %H:%M:%S"),
            "seconds": round(time.time() - self.about["started"], 1),
            "traceback": str(where),
        }
        write_json(self.folder / FAILURE_FILE, failure)
