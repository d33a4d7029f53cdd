"""The splits of a data set, and seeded random splits of samples or of whole groups."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import Dataset

from robustlit.core.random import mix
from robustlit.data.errors import DataError

__all__ = ["Splits", "permutation", "random_split"]


@dataclass
class Splits:
    """What a data set consists of, before checks, transforms and limits.

    Args:
        train: Items are dicts with ``image`` (H×W×C uint8 or uint16 array), ``target`` and extras.
        val: The set's own validation split, or None to split one off the training data.
        tests: Test splits by name, in the order of ``test_dataloader()``.
        groups: The group of every training sample where the random split must keep groups together.

    Raises:
        DataError: If there are both groups and a validation split.
    """

    train: Dataset[dict[str, Any]]
    val: Dataset[dict[str, Any]] | None = None
    tests: dict[str, Dataset[dict[str, Any]]] = field(default_factory=dict)
    groups: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.groups is not None and self.val is not None:
            raise DataError(
                "expected groups only where the validation split is drawn at random, got groups and a val split too; "
                "try groups=null"
            )


def permutation(count: int, seed: int, purpose: str) -> list[int]:
    """Return 0 … count - 1 in an order that depends on the seed and the purpose alone."""
    generator = torch.Generator().manual_seed(mix(seed, purpose))
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def random_split(
    count: int, fraction: float, seed: int, groups: Sequence[str] | None = None
) -> tuple[list[int], list[int]]:
    """Split sample indices in two at random.

    Args:
        count: Number of samples.
        fraction: Share of the samples for the second part, in [0, 1).
        seed: Seed of the split.
        groups: The group of every sample, for instance the patient. A group goes to one part as a whole; groups are
            added to the second part until it holds at least its share.

    Returns:
        The sorted indices of the first and of the second part.

    Raises:
        ValueError: If the fraction is outside [0, 1), or the split would leave nothing to train on.

    Example:
        >>> train, val = random_split(10, 0.2, seed=0)
        >>> len(train), len(val)
        (8, 2)
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"expected val_fraction in [0, 1), got {fraction}; try 0.1")
    wanted = round(count * fraction)
    if groups is None:
        order = permutation(count, seed, "split")
        return sorted(order[wanted:]), sorted(order[:wanted])
    sizes = Counter(groups)
    names = sorted(sizes)
    held_out: set[str] = set()
    count_held_out = 0
    for position in permutation(len(names), seed, "split"):
        if count_held_out >= wanted:
            break
        held_out.add(names[position])
        count_held_out += sizes[names[position]]
    if len(held_out) == len(names):
        raise ValueError(
            f"expected more groups to split by, got {len(names)} for val_fraction={fraction}; try a smaller fraction"
        )
    chosen = [group in held_out for group in groups]
    return [i for i in range(count) if not chosen[i]], [i for i in range(count) if chosen[i]]
