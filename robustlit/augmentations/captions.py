"""What was drawn for one sample, in a few words."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from robustlit.augmentations.chains import ChainParams

__all__ = ["caption", "chain_caption"]

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
        'top 18, left 5, side 8, sigma 0.97'
    """
    if not bool(params.chosen[row]):
        return "unchanged"
    return ", ".join(_words(params, row))


def chain_caption(params: "ChainParams", row: int, names: Sequence[str]) -> str:
    """Write out a sample's chains, their weights in the mixture and the mixture's.

    Args:
        params: What was drawn.
        row: Position of the sample in the batch.
        names: Of the operations.
    """
    if not bool(params.chosen[row]):
        return "unchanged"
    chains = []
    for numbers, weight in zip(params.operation[row].tolist(), params.weight[row].tolist(), strict=True):
        steps = " > ".join(names[number] for number in numbers if number >= 0)
        chains.append(f"{weight:.2f} {steps}")
    return f"mix {float(params.blend[row]):.2f}: {' + '.join(chains)}"


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
