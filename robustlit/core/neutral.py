"""Looking at a model without leaving a trace."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from robustlit.core import restore

__all__ = ["neutral_scope", "private"]


@contextmanager
def neutral_scope(module: nn.Module, *, grad: bool = False) -> Iterator[None]:
    """Look at a model in eval mode and in float32, and leave everything bit-identical afterwards.

    Restored, also after an exception: the train/eval flag of every submodule, ``requires_grad`` and ``.grad`` of every
    parameter, buffers (so BatchNorm statistics), hooks, and the states of the generators of Python, NumPy and torch on
    every device. Autocast is off and compiled code runs eagerly inside, because hooks on it would see no gradients.

    Use it on the unwrapped module, never on a DDP wrapper, and take gradients by ``torch.autograd.grad`` for inputs
    made by :func:`private` inside the scope. It works in fit (no_grad), validate and test (inference_mode).

    Args:
        module: The model to look at.
        grad: Whether gradients are wanted. The parameters are frozen, so only the inputs' graph is built.

    Example:
        >>> model = nn.Sequential(nn.Linear(3, 3), nn.Dropout()).train()
        >>> with torch.inference_mode():
        ...     x = torch.ones(1, 3)
        ...     with neutral_scope(model, grad=True):
        ...         x = private(x).requires_grad_()
        ...         slope = torch.autograd.grad(model(x).sum(), x)[0]
        >>> model[1].training, model[0].weight.requires_grad, slope.shape
        (True, True, torch.Size([1, 3]))
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.callback(restore.generators())
        for part in (restore.modes, restore.hooks, restore.buffers, restore.parameters, restore.gradients):
            stack.callback(part(module))
        stack.enter_context(torch.set_grad_enabled(grad))
        stack.enter_context(torch.autocast(_device_of(module).type, enabled=False))
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
            parameter.grad = None
        yield


def private(data: Any) -> Any:
    """Copy every tensor in a tensor, tuple, list or mapping, so that gradients may be taken and nothing is shared.

    Args:
        data: A batch, or any part of one. Tensors made under inference_mode become ordinary ones.
    """
    if isinstance(data, Tensor):
        return data.detach().clone()
    if isinstance(data, tuple) and hasattr(data, "_make"):
        return type(data)._make(private(entry) for entry in data)
    if isinstance(data, tuple | list):
        return type(data)(private(entry) for entry in data)
    if isinstance(data, dict):
        copied = copy.copy(data)
        copied.update({key: private(value) for key, value in data.items()})
        return copied
    return data


def _device_of(module: nn.Module) -> torch.device:
    return next((tensor.device for tensor in module.parameters()), torch.device("cpu"))
