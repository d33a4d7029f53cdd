"""Keeping what layers return during a forward pass, safely where later operations work in place."""

import copy
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

__all__ = ["Capture", "first_tensor"]


class Capture:
    """Keep the last output of each of some layers, as a tensor that gradients can be taken for.

    The network goes on with a copy, so that an in-place operation behind the layer does not change what is kept; and
    where nothing before the layer needs a gradient, the graph starts at the layer. Hooks are gone on leaving.

    Args:
        layers: The modules by name.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
        >>> with Capture({"0": model[0]}) as kept:
        ...     y = model(torch.zeros(1, 1, 5, 5))
        >>> kept["0"].shape
        torch.Size([1, 2, 3, 3])
    """

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        self.layers = layers
        self._kept: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> "Capture":
        for name, layer in self.layers.items():
            self._handles.append(layer.register_forward_hook(self._hook(name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def __getitem__(self, name: str) -> Tensor:
        """Return what a layer returned last.

        Raises:
            ValueError: If the layer was not called, or returned no tensor.
        """
        if name not in self._kept:
            raise ValueError(
                f"expected a layer that the forward pass calls and that returns a tensor, got {name!r}; try layer=None"
            )
        return self._kept[name]

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], Any]:
        def keep(layer: nn.Module, inputs: Any, output: Any) -> Any:
            found = first_tensor(output)
            if found is None:
                return output
            tensor, replace = found
            if torch.is_grad_enabled() and tensor.is_floating_point() and not tensor.requires_grad:
                tensor = tensor.detach().requires_grad_()
            self._kept[name] = tensor
            return replace(tensor.clone())

        return keep


def first_tensor(output: Any) -> tuple[Tensor, Callable[[Tensor], Any]] | None:
    """Return the first tensor of a layer's output, and a function that puts another one in its place; None without any.

    Args:
        output: A tensor, or a tuple, list or mapping of them.
    """
    if isinstance(output, Tensor):
        return output, lambda tensor: tensor
    if isinstance(output, Mapping):
        key = next((key for key, value in output.items() if isinstance(value, Tensor)), None)
        return None if key is None else (output[key], lambda tensor: _with_entry(output, key, tensor))
    if isinstance(output, tuple | list):
        place = next((i for i, value in enumerate(output) if isinstance(value, Tensor)), None)
        return None if place is None else (output[place], lambda tensor: _with_entry(output, place, tensor))
    return None


def _with_entry(container: Any, key: Any, tensor: Tensor) -> Any:
    """Return a copy of a container with one entry replaced."""
    if isinstance(container, tuple):
        entries = [tensor if i == key else value for i, value in enumerate(container)]
        return type(container)._make(entries) if hasattr(container, "_make") else type(container)(entries)
    changed = copy.copy(container)
    changed[key] = tensor
    return changed
