"""Gathering the chosen images of an evaluation loader into full batches, in one pass over the data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from robustlit.core import Adapter, check_pixels, private
from robustlit.evaluation.passes.selection import Selection

__all__ = ["Chunk", "Gathering"]


@dataclass(frozen=True)
class Chunk:
    """Some chosen images on the module's device.

    Args:
        images: Float N×C×H×W in [0, 1].
        targets: N, N×K, N×H×W or N×1×H×W.
        ids: int64 of shape N, the samples' indices.
    """

    images: Tensor
    targets: Tensor
    ids: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice | Tensor) -> "Chunk":
        return Chunk(self.images[part], self.targets[part], self.ids[part])

    @classmethod
    def joined(cls, chunks: "Sequence[Chunk]") -> "Chunk":
        """Return chunks that fit each other as one."""
        return cls(
            torch.cat([chunk.images for chunk in chunks]),
            torch.cat([chunk.targets for chunk in chunks]),
            torch.cat([chunk.ids for chunk in chunks]),
        )

    def fits(self, other: "Chunk") -> bool:
        """Return whether images and targets of both have one shape, so that they go into one batch."""
        return self.images.shape[1:] == other.images.shape[1:] and self.targets.shape[1:] == other.targets.shape[1:]


class Gathering:
    """Takes the chosen images out of passing batches, and gives them back in batches of one size.

    A budget of a few images would otherwise mean a forward for the two or three chosen ones of every batch.

    Args:
        selection: Which samples.
        adapter: How to read a batch.
        loader: The loader that the batches come from.
        batch_size: Images a batch; None for as many as the loader's batches have.
        share: The share of the loader's batches that will come, where they are limited.
    """

    def __init__(
        self,
        selection: Selection,
        adapter: Adapter,
        loader: Any,
        batch_size: int | None = None,
        share: float = 1.0,
    ) -> None:
        self.selection = selection
        self.adapter = adapter
        self.batch_size = batch_size or getattr(loader, "batch_size", None)
        self._waiting: list[Chunk] = []
        self._checked = False
        selection.begin(loader, share)

    def add(self, batch: Any) -> Iterator[Chunk]:
        """Take what is chosen of a batch; yield full batches as long as there are any.

        Raises:
            ValueError: If the images of the first batch are not in [0, 1].
        """
        positions, ids = self.selection.choose(self.adapter, batch)
        with torch.inference_mode(False):
            images, targets = self.adapter.images(batch), self.adapter.targets(batch)
            if not self._checked:
                check_pixels(images)
                self._checked = True
            self.batch_size = self.batch_size or len(images)
            if len(positions):
                chunk = Chunk(images[private(positions)], targets[private(positions)], private(ids))
                if self._waiting and not self._waiting[-1].fits(chunk):
                    yield from self.rest()
                self._waiting.append(chunk)
            while sum(map(len, self._waiting)) >= self.batch_size:
                yield self._take(self.batch_size)

    def rest(self) -> Iterator[Chunk]:
        """Yield what is left."""
        if self._waiting:
            with torch.inference_mode(False):
                yield self._take(sum(map(len, self._waiting)))

    def _take(self, count: int) -> Chunk:
        together = Chunk.joined(self._waiting)
        self._waiting = [together[count:]] if len(together) > count else []
        return together[:count]
