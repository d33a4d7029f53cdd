"""A job of a parallel sweep in a process of its own: own threads, GPU and log, and a kill that hits nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from robustlit.cli.errors import USERS_CHOICE, WARNING, UserError

__all__ = ["JobError", "Stopped", "end_with_parent", "environment", "last_line", "train_apart"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
PARENT = "ROBUSTLIT_PARENT"  # the process that a job's own process ends with
INTERRUPTED = 130
LOOK = 0.2  # seconds between two looks at the process
PATIENCE = 15.0  # seconds that a process has to end when it is told to


class JobError(UserError):
    """What the job's own process said was wrong, in its words; the log has the rest."""


class Stopped(Exception):  # noqa: N818 (what the user wanted, not an error)
    """The job was told to stop: nothing has failed."""


def train_apart(folder: Path, surroundings: Mapping[str, str], keep: Sequence[int], stop: Callable[[], bool]) -> None:
    """Train the run that a folder describes in another process, its output in ``log.txt``.

    Args:
        folder: The run folder, with its configuration.
        surroundings: The environment of the process.
        keep: Descriptors of lock files: the process holds them for as long as it lives, whatever becomes of this one.
        stop: Asked again and again whether the process is to end.

    Raises:
        JobError: If it fails or is killed.
        Stopped: If it was interrupted or told to stop.
    """
    command = [sys.executable, "-m", "robustlit", "train", f"resume={folder}"]
    with (folder / "log.txt").open("ab") as log:
        start = log.tell()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**surroundings, PARENT: str(os.getpid())},
            pass_fds=tuple(keep),
            start_new_session=True,  # Ctrl-C reaches the sweep, which ends its jobs
        )
        code = _wait(child, stop)
    if code in (None, INTERRUPTED):
        raise Stopped
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        raise JobError(f"its process was killed ({name}), perhaps for lack of memory; try jobs.at_once=1")
    if code:
        raise JobError(last_line(folder / "log.txt", start))


def environment(threads: int, gpu: str | None) -> dict[str, str]:
    """Return the environment of a job: so many CPU threads unless the user says otherwise, and tracebacks in the log.

    Args:
        threads: CPU threads.
        gpu: The one GPU that it sees; all of them when None.
    """
    chosen = {name: os.environ.get(name, str(threads)) for name in THREADS}
    return {**os.environ, **chosen, **({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {}), USERS_CHOICE: "1"}


def end_with_parent() -> None:
    """Let this process end when the one that started it does, if that is a job's: it cannot be told any more then."""
    parent = os.environ.get(PARENT, "")
    if parent.isdigit():
        threading.Thread(target=_end_after, args=(int(parent),), name="end-with-parent", daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)


def last_line(log: Path, start: int = 0) -> str:
    """Return what a process said was wrong: its last line that begins with our name and is no warning, without it.

    Args:
        log: Its output.
        start: Where in the file its output begins.
    """
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    said = [line for line in lines if line.startswith("robustlit: ") and not line.startswith(WARNING)]
    return said[-1].removeprefix("robustlit: ") if said else f"its process ended without a word; see {log}"


def _wait(child: "subprocess.Popen[bytes]", stop: Callable[[], bool]) -> int | None:
    """Wait for the process and return its exit code; None where it was told to stop."""
    try:
        while child.poll() is None:
            if stop():
                return None
            time.sleep(LOOK)
        return child.returncode
    finally:
        _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the process, gently at first."""
    for tell in (child.terminate, child.kill):
        if child.poll() is None:
            tell()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                continue
