"""A cap on the seconds of an evaluation: what must be measured is, the rest as far as time allows."""

import time
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import torch

__all__ = ["TimeCap"]

Item = TypeVar("Item", bound=Hashable)


class TimeCap(Generic[Item]):
    """Drops optional items, the last ones first, as soon as the whole evaluation would take longer than the cap.

    Only time between the first ``allows`` of a batch and its ``done`` counts, so what else happens meanwhile, such as
    the user's own validation, does not.

    Args:
        seconds: The cap; None for none.
        optional: The items that may be dropped.
        images: How many images the whole evaluation has, None where unknown: then time is only looked at as it passes.
        device: Where the work is done; with a cap a GPU is waited for after every item.

    Example:
        >>> cap = TimeCap(0.0, ["fog", "snow"], 8, torch.device("cpu"))
        >>> cap.allows("clean"), cap.allows("fog"), cap.dropped
        (True, False, ['fog'])
    """

    def __init__(
        self, seconds: float | None, optional: Sequence[Item], images: int | None, device: torch.device
    ) -> None:
        self.seconds = seconds
        self.images = images
        self.dropped: list[Item] = []
        self._optional = list(optional)
        self._costs: dict[Item, float] = {}
        self._device = device
        self._used = 0.0
        self._since: float | None = None
        self._seen = 0

    def allows(self, item: Item) -> bool:
        """Return whether to go on with an item; one that is once dropped stays so."""
        if self.seconds is None:
            return True
        used = self._count()
        if item in self._optional and item not in self.dropped and used > self.seconds:
            self.dropped.append(item)
        return item not in self.dropped

    def spent(self, item: Item) -> None:
        """Note that an item has just been worked on."""
        if self.seconds is not None:
            before = self._used
            self._costs[item] = self._costs.get(item, 0.0) + self._count() - before

    def done(self, images: int) -> None:
        """Note that a batch is done, and drop what will not fit into the time that is left."""
        self._seen += images
        self._since = None
        if self.seconds is None or self.images is None or self._seen >= self.images:
            return
        left = self.images / self._seen - 1
        kept = [item for item in self._costs if item not in self.dropped]
        expected = self._used + left * sum(self._costs[item] for item in kept)
        for item in reversed(self._optional):
            if expected > self.seconds and item in kept:
                self.dropped.append(item)
                expected -= left * self._costs[item]

    def _count(self) -> float:
        """Add the time that has passed since the last look, and return the seconds used."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        self._used += 0.0 if self._since is None else now - self._since
        self._since = now
        return self._used
