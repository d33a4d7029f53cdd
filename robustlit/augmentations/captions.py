"""What was drawn for one sample, in a few words."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from torch import Tensor

__all__ = ["caption"]

_SEEDS = ("noise", "seeds")
_SHORT = 2  # numbers of one parameter that are written out


def caption(params: Any, row: int) -> str:
    """Write out the drawn numbers of a sample, by the names of the parameters.

    Args:
        params: What an operation drew.
        row: Position of the sample in the batch.

    Example:
        >>> import torch
        >>> from robustlit.augmentations import PatchGaussian
        >>> caption(PatchGaussian(8).sample(torch.Size((1, 3, 32, 32)), torch.arange(1)), 0)
        'top 24, left 21, side 8, sigma 0.93'
    """
    if not bool(params.chosen[row]):
        return "unchanged"
    return ", ".join(_words(params, row))


def _words(params: Any, row: int) -> Iterator[str]:
    for field in fields(params):
        value = getattr(params, field.name)
        if field.name == "chosen" or field.name in _SEEDS:
            continue
        if not isinstance(value, Tensor):
            yield from _words(value, row) if hasattr(value, "__dataclass_fields__") else ()
        elif value[row].numel() <= _SHORT:
            yield f"{field.name} {' '.join(_number(number) for number in value[row].flatten().tolist())}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"
