"""A few images that are balanced over the classes, chosen in one pass over data of any order."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from robustlit.core import private
from robustlit.core.random import fold, mix
from robustlit.evaluation.passes.gathering import Chunk

__all__ = ["Balanced", "Found", "groups_of"]

# By group, the kept samples as (rank, one sample on the CPU), the lowest rank first
Found: TypeAlias = dict[int, list[tuple[int, Chunk]]]


class Balanced:
    """Keeps the samples whose hashed index is lowest, as many of each group as of any other.

    The outcome depends on the samples and the seed alone: not on order, batches, or the number of processes. Of more
    groups than samples wanted, those whose hash is lowest have one each.

    Args:
        count: How many samples.
        seed: Which samples.

    Raises:
        ValueError: If ``count`` is not positive.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        if count < 1:
            raise ValueError(f"expected at least one probe image, got {count}; try 8")
        self.count = count
        self.seed = mix(seed, "balanced")
        self.found: Found = {}

    def add(self, chunk: Chunk, groups: Tensor) -> None:
        """Take what belongs to the lowest of a batch.

        Args:
            chunk: Some samples, on any device.
            groups: int64 of shape N, from 0.
        """
        ranks = fold(chunk.ids, self.seed).tolist()
        for place, (group, rank) in enumerate(zip(groups.tolist(), ranks, strict=True)):
            kept = self.found.get(group, [])
            if len(kept) < self._quota(len({*self.found, group})) or rank < kept[-1][0]:
                self._put(group, rank, chunk[place : place + 1])
        self._trim()

    def merge(self, others: Iterable[Found]) -> None:
        """Take what other processes found; a sample that several have counts once."""
        for found in others:
            for group, kept in found.items():
                known = {rank for rank, _ in self.found.get(group, [])}
                for rank, sample in kept:
                    if rank not in known:
                        self._put(group, rank, sample)
        self._trim()

    def chosen(self) -> Chunk | None:
        """Return the samples on the CPU, by group; None without any."""
        order = sorted(self.found, key=self._rank_of_group)
        turns = max(map(len, self.found.values()), default=0)
        by_turn = [(group, turn) for turn in range(turns) for group in order if turn < len(self.found[group])]
        samples = [self.found[group][turn][1] for group, turn in sorted(by_turn[: self.count])]
        return joined(samples) if samples else None

    def _put(self, group: int, rank: int, sample: Chunk) -> None:
        copied = Chunk(*(private(part).cpu() for part in (sample.images, sample.targets, sample.ids)))
        self.found[group] = sorted([*self.found.get(group, []), (rank, copied)], key=lambda entry: entry[0])

    def _trim(self) -> None:
        groups = sorted(self.found, key=self._rank_of_group)[: self.count]
        self.found = {group: self.found[group][: self._quota(len(groups))] for group in groups}

    def _quota(self, groups: int) -> int:
        return -(-self.count // groups)

    def _rank_of_group(self, group: int) -> int:
        return mix(self.seed, group)


def groups_of(targets: Tensor, ignore_index: int | None = None) -> Tensor:
    """Return the group of every sample, int64 of shape N: its class, its first label, or the mask's commonest class.

    Args:
        targets: N, N×K, N×H×W or N×1×H×W.
        ignore_index: Target value of pixels that do not count.

    Example:
        >>> groups_of(torch.tensor([[[5, 5, 2]], [[2, 0, 2]]]), ignore_index=5).tolist()
        [2, 2]
    """
    if targets.ndim == 1:
        return targets.to(torch.int64)
    if targets.ndim == 2:
        return targets.argmax(1)
    found = []
    for mask in targets.flatten(1).to(torch.int64):
        valid = mask[mask >= 0] if ignore_index is None else mask[(mask != ignore_index) & (mask >= 0)]
        found.append(valid.bincount().argmax() if len(valid) else mask.new_zeros(()))
    return torch.stack(found) if found else targets.new_zeros(0, dtype=torch.int64)


def joined(samples: Sequence[Chunk]) -> Chunk:
    """Return several chunks as one.

    Raises:
        ValueError: If the images differ in size.
    """
    sizes = {tuple(sample.images.shape[1:]) for sample in samples}
    if len(sizes) > 1:
        raise ValueError(f"expected images of one size, got {sorted(sizes)}; try a transform that resizes them")
    parts = zip(*((sample.images, sample.targets, sample.ids) for sample in samples), strict=True)
    return Chunk(*(torch.cat(part) for part in parts))
