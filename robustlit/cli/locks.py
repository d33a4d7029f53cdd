"""Locks on files: they end with the process that holds them, however it ends."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["hold", "is_held", "take_place"]

LOOK = 0.5  # seconds between two looks


@contextmanager
def hold(path: Path, *, wait: bool = True) -> Iterator[IO[str] | None]:
    """Hold a lock file; yields it, or None where the file system knows no locks.

    Args:
        path: The file, made if need be.
        wait: Whether to wait for a process that holds it.

    Raises:
        BlockingIOError: If another process holds it and there is to be no waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:
            yield None
        else:
            yield file


def is_held(path: Path) -> bool:
    """Whether a process holds the lock; also where nobody can tell."""
    try:
        with hold(path, wait=False) as file:
            return file is None
    except BlockingIOError:
        return True


@contextmanager
def take_place(folder: Path, places: int, give_up: Callable[[], bool]) -> Iterator[tuple[int, IO[str] | None]]:
    """Hold one of some numbered places, and wait until there is one.

    Args:
        folder: Where their lock files are.
        places: How many there are.
        give_up: Asked while waiting.

    Raises:
        TimeoutError: If ``give_up`` says so.
    """
    with ExitStack() as stack:
        while True:
            for place in range(places):
                with suppress(BlockingIOError):
                    file = stack.enter_context(hold(folder / str(place), wait=False))
                    break
            else:
                if give_up():
                    raise TimeoutError("expected a free place, got told to give up")
                time.sleep(LOOK)
                continue
            break
        yield place, file
