"""How often every number occurs."""

import torch
from torch import Tensor

__all__ = ["tally"]


def tally(numbers: Tensor, size: int) -> Tensor:
    """Count the numbers 0…size-1: as ``torch.bincount``, which on a GPU would wait for the largest of them.

    Args:
        numbers: int64 of any shape, in 0…size-1.
        size: How many counts there are.

    Returns:
        int64 of shape size.

    Example:
        >>> tally(torch.tensor([0, 2, 2]), 4).tolist()
        [1, 0, 2, 0]
    """
    numbers = numbers.flatten()
    if numbers.device.type == "cpu":
        return torch.bincount(numbers, minlength=size)
    return numbers.new_zeros(size).scatter_add_(0, numbers, torch.ones_like(numbers))
