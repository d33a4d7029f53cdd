"""What augmentations cost: milliseconds a batch, and the share of the training step."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytorch_lightning as pl
import torch

from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.stopwatch import Stopwatch

__all__ = ["AugmentationCost"]


class AugmentationCost:
    """Adds up the time of every operation and of the training steps around them.

    Example:
        >>> cost = AugmentationCost()
        >>> with cost.step(torch.device("cpu")), cost.of("patch_gaussian", torch.device("cpu")):
        ...     pass
        >>> sorted(cost.read())[:2]
        ['augmentation/patch_gaussian_ms', 'augmentation/patch_gaussian_share']
    """

    def __init__(self) -> None:
        self._steps, self._batches = Stopwatch(), 0
        self._watches: dict[str, Stopwatch] = {}

    @contextmanager
    def step(self, device: torch.device) -> Iterator[None]:
        """Time a training step."""
        self._batches += 1
        with self._steps.running(device):
            yield

    @contextmanager
    def of(self, name: str, device: torch.device) -> Iterator[None]:
        """Time an operation."""
        with self._watches.setdefault(name, Stopwatch()).running(device):
            yield

    def read(self) -> dict[str, float]:
        """Return the figures since the last reading by their keys without "cost/", and start again from zero."""
        whole, batches = max(self._steps.read(), 1e-9), max(self._batches, 1)
        seconds = {name: watch.read() for name, watch in self._watches.items()}
        self._batches = 0
        total = sum(seconds.values())
        found = {"augmentation_seconds": total, "augmentation_share": total / whole}
        for name, value in seconds.items():
            found |= {f"augmentation/{name}_ms": 1e3 * value / batches, f"augmentation/{name}_share": value / whole}
        return found

    def log(self, pl_module: pl.LightningModule) -> None:
        """Log the figures of an epoch."""
        for name, value in self.read().items():
            log_cost(pl_module, name, value)
