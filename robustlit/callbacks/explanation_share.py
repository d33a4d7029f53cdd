"""What share of the run's time a callback may take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TimeShare"]


class TimeShare:
    """Lets work through as long as it stays below a share of the time that has passed; the first time always.

    Work that costs more than an epoch's share is done every few epochs, when what it cost last time has been saved up.

    Args:
        most: In (0, 1], or None for no limit.

    Raises:
        ValueError: If the share is out of range.

    Example:
        >>> share = TimeShare(0.01)
        >>> with share.spending():
        ...     time.sleep(0.02)
        >>> share.allows(), share.value > 0.01
        (False, True)
    """

    def __init__(self, most: float | None) -> None:
        if most is not None and not 0 < most <= 1:
            raise ValueError(f"expected max_share in (0, 1], got {most}; try 0.02, or None for no limit")
        self.most = most
        self.start()

    def start(self) -> None:
        """Count time from now on."""
        self._start = time.perf_counter()
        self._spent = self._before = 0.0

    def allows(self) -> bool:
        """Tell whether the work fits, if it costs what it cost last time; begins a new piece of work if so."""
        last = self._spent - self._before
        fits = self.most is None or self._spent + last <= self.most * (time.perf_counter() - self._start)
        if fits or self._spent == 0:
            self._before = self._spent
            return True
        return False

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of a block as spent."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - begin

    @property
    def value(self) -> float:
        """The share of the time until now that was spent, in [0, 1]."""
        return self._spent / max(1e-9, time.perf_counter() - self._start)
