"""Which samples make a batch: a function of (seed, epoch, rank), so that a run can be stopped and resumed anywhere."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch.utils.data import Sampler

from robustlit.core.random import mix

__all__ = ["EvaluationBatchSampler", "Key", "SeededBatchSampler"]

Key = tuple[int, int]
"""(position in the data set, epoch): the epoch travels with the position, so persistent workers need not be told."""


class SeededBatchSampler(Sampler[list[Key]]):
    """Batches for training: a new seeded permutation every epoch, shared by the ranks, resumable at any batch.

    Global batch b is ``permutation[b * B * W:(b + 1) * B * W]`` for batch size B and W ranks, and rank r takes every
    W-th of it, so W ranks with batches of B see what one process with batches of B·W sees. The last batch may be
    smaller; it loses up to W - 1 samples so that all ranks have equally many.

    Args:
        count: Number of samples in the data set.
        batch_size: Samples a batch and rank, B.
        seed: Seed of the permutations.
        shuffle: Whether to permute at all.
        rank: This process's rank, 0 … world_size - 1.
        world_size: Number of processes, W.
        start: (epoch, batch) to begin at when resuming; batches before it are skipped.

    Example:
        >>> sampler = SeededBatchSampler(5, 2, seed=0, shuffle=False)
        >>> sampler.set_epoch(3)
        >>> list(sampler)
        [[(0, 3), (1, 3)], [(2, 3), (3, 3)], [(4, 3)]]
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
        start: tuple[int, int] = (0, 0),
    ) -> None:
        self.count, self.batch_size, self.seed, self.shuffle = count, batch_size, seed, shuffle
        self.rank, self.world_size = rank, world_size
        self.first_epoch, self.first_batch = start
        self.epoch = 0

    @property
    def sampler(self) -> "SeededBatchSampler":
        """Itself: Lightning hands the epoch only to ``loader.sampler`` and ``loader.batch_sampler.sampler``."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        usable = self.count - self.count % self.world_size
        return -(-usable // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[list[Key]]:
        # Resuming at the end of an epoch, Lightning makes this iterator before it counts that epoch as done.
        epoch = max(self.epoch, self.first_epoch)
        order = self._order(epoch)[: self.count - self.count % self.world_size]
        step = self.batch_size * self.world_size
        first = self.first_batch if epoch == self.first_epoch else 0
        for begin in range(first * step, len(order), step):
            yield [(position, epoch) for position in order[begin : begin + step][self.rank :: self.world_size]]

    def _order(self, epoch: int) -> list[int]:
        if not self.shuffle:
            return list(range(self.count))
        generator = torch.Generator().manual_seed(mix(self.seed, "shuffle", epoch))
        order: list[int] = torch.randperm(self.count, generator=generator).tolist()
        return order


class EvaluationBatchSampler(Sampler[list[Key]]):
    """Batches for evaluation: rank r takes every W-th sample in order, nothing repeated, nothing lost.

    All ranks have equally many batches, because DDP exchanges BatchNorm's buffers in every forward, evaluation
    included, and would wait for ever for a rank that has finished. A rank that could fill fewer makes smaller ones.

    Args:
        count: Number of samples in the data set.
        batch_size: Most samples a batch and rank; one more where a rank could not fill as many batches as others.
        rank: This process's rank.
        world_size: Number of processes, W.

    Raises:
        ValueError: If there are fewer samples than processes.

    Example:
        >>> list(EvaluationBatchSampler(5, 2, rank=0, world_size=2))
        [[(0, 0), (2, 0)], [(4, 0)]]
        >>> list(EvaluationBatchSampler(5, 2, rank=1, world_size=2))
        [[(1, 0)], [(3, 0)]]
    """

    def __init__(self, count: int, batch_size: int, *, rank: int = 0, world_size: int = 1) -> None:
        if count < world_size:
            raise ValueError(f"expected a sample for each of {world_size} processes, got {count}; try fewer devices")
        self.positions = range(rank, count, world_size)
        most, fewest = -(-count // world_size), count // world_size
        self.batches = min(-(-most // batch_size), fewest)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[Key]]:
        count = len(self.positions)
        if -(-count // self.batch_size) == self.batches:
            cuts = [*range(0, count, self.batch_size), count]
        else:  # full batches would be more or fewer than those of the other ranks
            cuts = [number * count // self.batches for number in range(self.batches + 1)]
        for begin, end in pairwise(cuts):
            yield [(position, 0) for position in self.positions[begin:end]]
