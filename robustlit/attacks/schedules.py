"""Step schedules: how the step size of every sample changes during a search."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["SCHEDULES", "Schedule", "constant", "cosine", "halving", "linear"]

# (step from 0, steps, losses of every iterate so far, each of shape N) -> factors of the step size, of shape N
Schedule: TypeAlias = Callable[[int, int, Sequence[Tensor]], Tensor]

_CHECKS = 5  # how often ``halving`` looks


def constant(step: int, steps: int, losses: Sequence[Tensor]) -> Tensor:
    """Return 1 for every sample."""
    return torch.ones_like(losses[0])


def linear(step: int, steps: int, losses: Sequence[Tensor]) -> Tensor:
    """Return what falls in equal parts from 1 at the first step to 1 / steps at the last."""
    return torch.full_like(losses[0], 1 - step / steps)


def cosine(step: int, steps: int, losses: Sequence[Tensor]) -> Tensor:
    """Return half a cosine, from 1 at the first step towards 0 after the last."""
    return torch.full_like(losses[0], (1 + math.cos(math.pi * step / steps)) / 2)


def halving(step: int, steps: int, losses: Sequence[Tensor]) -> Tensor:
    """Halve a sample's step wherever a fifth of the steps has brought it no larger loss than it had before.

    Example:
        >>> losses = [torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0]), torch.tensor([2.0, 0.0])]
        >>> halving(2, 5, losses)
        tensor([1.0000, 0.2500])
    """
    width = max(1, steps // _CHECKS)
    best, factor = losses[0], torch.ones_like(losses[0])
    for start in range(1, step - width + 2, width):
        recent = torch.stack(list(losses[start : start + width])).amax(0)
        factor = torch.where(recent > best, factor, factor / 2)
        best = torch.maximum(best, recent)
    return factor


SCHEDULES: Mapping[str, Schedule] = {"constant": constant, "linear": linear, "cosine": cosine, "halving": halving}
