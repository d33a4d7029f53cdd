"""Poisson counts from uniform numbers, by one table look-up a value."""

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors

__all__ = ["alias_table", "poisson_counts"]

_BITS = 24  # of a uniform number
_GREYS = 256


def poisson_counts(images: Tensor, uniforms: Tensor, photons: float) -> Tensor:
    """Draw Poisson counts whose means are the images' grey levels, in units where white is ``photons``.

    Every grey level has an alias table (Walker 1977; Vose 1991) in whole numbers: of the 2²⁴ uniform numbers that there
    are, the nearest whole number to 2²⁴·P(count ≤ k) gives at most k. That is as exact as such a number can be, and it
    costs the same for every mean.

    Args:
        images: float32 of any shape, in [0, 1], rounded to whole grey levels.
        uniforms: float32 of the same shape in [0, 1), multiples of 2⁻²⁴.
        photons: Mean count of white, above 0.

    Returns:
        Whole numbers, float32 of the same shape.
    """
    table, shift = _table(photons, images.device)
    low = (1 << shift) - 1
    bits = (uniforms * 2.0**_BITS).int()
    columns = bits >> shift
    cells = (images * 255).round_().int().bitwise_left_shift_(_BITS - shift).add_(columns)
    entries = table.index_select(0, cells.flatten()).view_as(cells)
    kept = bits.bitwise_and_(low) < (entries & low)
    return torch.where(kept, columns, entries.bitwise_right_shift_(shift)).float()


def alias_table(weights: list[int], capacity: int) -> list[tuple[int, int]]:
    """Share whole weights out over columns of equal capacity, at most two to a column.

    Args:
        weights: One for each column; they sum to their number times the capacity.
        capacity: Of a column.

    Returns:
        For each column how much of it is its own, and the column that the rest belongs to.

    Example:
        >>> alias_table([1, 5, 3], 3)
        [(1, 1), (0, 1), (0, 2)]
    """
    left = list(weights)
    columns = [(0, index) for index in range(len(weights))]
    small = [index for index, weight in enumerate(left) if weight < capacity]
    large = [index for index, weight in enumerate(left) if weight > capacity]
    while small:
        index, giver = small.pop(), large[-1]
        columns[index] = (left[index], giver)
        left[giver] -= capacity - left[index]
        if left[giver] <= capacity:
            large.pop()
        if left[giver] < capacity:
            small.append(giver)
    return columns


@cached_tensors(16)
def _table(photons: float, device: torch.device) -> tuple[Tensor, int]:
    """All grey levels' alias tables, int32 with the other column above and its own share below; the share's bits."""
    largest = int(photons + 6 * photons**0.5 + 12)  # counts beyond have less than 2⁻²⁴ together
    shift = _BITS - largest.bit_length()
    counts = torch.arange(1 << (_BITS - shift), dtype=torch.float64)
    means = torch.arange(_GREYS, dtype=torch.float64)[:, None] * (photons / 255)
    chances = (torch.xlogy(counts, means) - means - torch.lgamma(counts + 1)).exp()
    below = (chances.cumsum(1) * 2**_BITS).round().long()
    below[:, -1] = 1 << _BITS
    weights = below.diff(dim=1, prepend=torch.zeros(_GREYS, 1, dtype=torch.long)).tolist()
    entries = [(other << shift) + own for row in weights for own, other in alias_table(row, 1 << shift)]
    return torch.tensor(entries, dtype=torch.int32, device=device), shift
