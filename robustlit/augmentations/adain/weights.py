"""Reading the files in which weights of AdaIN's networks are passed around; which layout fits, the networks know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["frozen", "has_biases", "keys_of", "read_state", "summary_of"]

Network = TypeVar("Network", bound=nn.Module)

_PREFIXES = ("module.", "network.", "decoder.", "features.")


def read_state(path: str | Path, what: str) -> dict[str, Tensor]:
    """Return the tensors of a state dict or checkpoint by their keys, without the prefixes of wrapping modules.

    Args:
        path: A file saved with ``torch.save``; it is loaded with ``weights_only=True``.
        what: Whose weights they ought to be, for the error.

    Raises:
        ValueError: If the file cannot be read.
    """
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is no pickle raises errors of many kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"expected a file of {what} weights at {path}, got {reason}; try a state dict saved with torch.save"
        ) from error
    content = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    state = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    for prefix in _PREFIXES:
        inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        state = inner or state
    return state


def has_biases(state: Mapping[str, Tensor], numbers: tuple[int, ...]) -> bool:
    """Whether every numbered convolution, whose weight is there, has a bias of its channels."""
    biases = ((state.get(f"{number}.bias"), state[f"{number}.weight"]) for number in numbers)
    return all(bias is not None and bias.shape == weight.shape[:1] for bias, weight in biases)


def frozen(network: Network) -> Network:
    """Return a network in evaluation mode, channels last, whose weights get no gradient."""
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[no-any-return]


def keys_of(numbers: tuple[int, ...]) -> str:
    """Name the keys of numbered convolutions, for errors."""
    return f"{', '.join(map(str, numbers))} .weight and .bias"


def summary_of(state: Mapping[str, Tensor]) -> str:
    """Say in a few words what a file had, for errors."""
    shown = ", ".join(list(state)[:4])
    return f"{len(state)} keys ({shown}, …)" if state else "no tensors"
