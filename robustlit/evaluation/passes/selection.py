"""Which samples of an evaluation loader are looked at, and what each is called, whoever's loader it is."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DistributedSampler, SequentialSampler

from robustlit.core import Adapter
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix

__all__ = ["Selection"]

_EVERY = (1 << 63) - 1


class Selection:
    """Chooses samples by a hash of their index: the same ones in every epoch, run and number of processes.

    Never the first n: folders are sorted by class. The index is the one in the batch; else the position where the
    loader goes through its data in order; else a hash of the pixels stands in. A sample that a distributed sampler
    repeats to fill its last batch is left out. Exactly ``count`` samples are chosen where all indices can be known
    beforehand, else about as many.

    Args:
        count: How many samples of the whole loader; None for all.
        seed: Which samples.

    Raises:
        ValueError: If ``count`` is not positive.
    """

    def __init__(self, count: int | None = None, seed: int = 0) -> None:
        if count is not None and count < 1:
            raise ValueError(f"expected at least one image, got {count}; try 512, or None for all")
        self.count = count
        self.seed = mix(seed, "selection")
        self._limit: int | None = None
        self._dataset: Any = None
        self._length: int | None = None
        self._share = 1.0
        self._stride: tuple[int, int] | None = None
        self._in_order = False
        self._padded_from: int | None = None
        self._seen = 0

    def begin(self, loader: Any, share: float = 1.0) -> None:
        """Learn what can be known of a loader before its first batch, and what share of its batches will come."""
        self._dataset = getattr(loader, "dataset", None)
        self._length = _length(self._dataset)
        self._share = share
        self._stride, self._in_order, self._padded_from = _order(loader)
        self._limit = None
        self._seen = 0

    @property
    def expected(self) -> int | None:
        """About how many samples of the whole loader will be chosen; None where that cannot be known."""
        coming = self._coming()
        if coming is None:
            return self.count
        return coming if self.count is None else min(self.count, coming)

    def positions(self, indices: Sequence[int]) -> list[int]:
        """Return the positions, ascending, of the samples that would be chosen of these: ``count`` of them, or all."""
        ranks = self._rank(torch.as_tensor(indices, dtype=torch.int64))
        lowest = ranks.argsort(stable=True)[: len(ranks) if self.count is None else self.count]
        return cast(list[int], lowest.sort().values.tolist())

    def choose(self, adapter: Adapter, batch: Any) -> tuple[Tensor, Tensor]:
        """Choose from the next batch.

        Args:
            adapter: How to read the batch.
            batch: The batch.

        Returns:
            int64 positions in the batch, and int64 ids of those samples, both of shape M, on the batch's device.
        """
        images = adapter.images(batch)
        positions = torch.arange(len(images), device=images.device)
        places = self._places(positions)
        ids = adapter.find_indices(batch)
        if self._limit is None:
            self._limit = self._find_limit(own_indices=ids is not None)
        if ids is None:
            ids = places if places is not None and self._in_order else pixel_hash(images)
        keep = torch.ones_like(positions, dtype=torch.bool)
        if places is not None and self._padded_from is not None:
            keep &= places < self._padded_from
        keep &= self._rank(ids) <= self._limit
        return positions[keep], ids[keep]

    def _places(self, positions: Tensor) -> Tensor | None:
        """Positions in the sampler's order, where they can be known; counts on."""
        start, self._seen = self._seen, self._seen + len(positions)
        if self._stride is None:
            return None
        rank, world = self._stride
        return (positions + start) * world + rank

    def _find_limit(self, own_indices: bool) -> int:
        """The largest hash of a chosen sample."""
        coming = self._coming()
        if self.count is None or coming is None or self.count >= coming:
            return _EVERY
        known = getattr(self._dataset, "indices", None) if own_indices else None
        indices = torch.arange(coming) if known is None else torch.as_tensor(known, dtype=torch.int64)[:coming]
        return int(self._rank(indices).sort().values[self.count - 1])

    def _coming(self) -> int | None:
        """About how many samples the batches that come will hold."""
        return None if self._length is None else max(1, round(self._length * self._share))

    def _rank(self, ids: Tensor) -> Tensor:
        return fold(ids, self.seed)


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:
        return None


def _order(loader: Any) -> tuple[tuple[int, int] | None, bool, int | None]:
    """Tell how a loader goes through its data.

    Returns:
        (rank, number of processes) where position i of this process is place i · processes + rank of the sampler, else
        None; whether those places are the samples' own; and the place from which on a distributed sampler repeats.
    """
    if type(getattr(loader, "batch_sampler", None)) is not BatchSampler:
        return None, False, None  # batches are made in a way of their own, whatever ``loader.sampler`` says
    sampler = loader.sampler
    if isinstance(sampler, SequentialSampler):
        return (0, 1), True, None
    if isinstance(sampler, DistributedSampler):  # Lightning's wrapper of a user's sampler among them
        in_order = type(sampler) is DistributedSampler and not sampler.shuffle
        return (sampler.rank, sampler.num_replicas), in_order, len(sampler.dataset)  # type: ignore[arg-type]
    return None, False, None
