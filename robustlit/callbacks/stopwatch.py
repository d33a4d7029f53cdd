"""Seconds that a part of the training run takes, without making the GPU wait."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["Stopwatch"]


class Stopwatch:
    """Adds up the seconds of the blocks it surrounds.

    On CUDA it records events and waits for them only when the time is read, at the end of an epoch; elsewhere it reads
    the wall clock.

    Example:
        >>> watch = Stopwatch()
        >>> with watch.running(torch.device("cpu")):
        ...     time.sleep(0.01)
        >>> watch.read() >= 0.01, watch.read()
        (True, 0.0)
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def running(self, device: torch.device) -> Iterator[None]:
        """Time a block whose work is on ``device``."""
        if device.type == "cuda":
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            start.record()
            try:
                yield
            finally:
                stop.record()
                self._events.append((start, stop))
        else:
            begin = time.perf_counter()
            try:
                yield
            finally:
                self._seconds += time.perf_counter() - begin

    def read(self) -> float:
        """Return the seconds since the last reading and start again from zero."""
        for start, stop in self._events:
            stop.synchronize()
            self._seconds += start.elapsed_time(stop) / 1000
        seconds, self._seconds, self._events = self._seconds, 0.0, []
        return seconds
