"""Looking at a model without leaving a trace."""

import copy
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["neutral_scope", "private"]

_HOOK_TABLES = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
)


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
        restore = [_modes(module), _hooks(module), _buffers(module), _parameters(module), _generators()]
        for undo in restore:
            stack.callback(undo)
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


def _modes(module: nn.Module) -> Callable[[], None]:
    modes = [(child, child.training) for child in module.modules()]

    def undo() -> None:
        for child, training in modes:
            child.training = training

    return undo


def _hooks(module: nn.Module) -> Callable[[], None]:
    tables = [getattr(child, name) for child in module.modules() for name in _HOOK_TABLES]
    contents = [(table, dict(table)) for table in tables]
    kinds = [(child, child._is_full_backward_hook) for child in module.modules()]

    def undo() -> None:
        for table, before in contents:
            if dict(table) != before:  # refilled in place: handles hold a reference to the table itself
                table.clear()
                table.update(before)
        for child, kind in kinds:
            child._is_full_backward_hook = kind

    return undo


def _buffers(module: nn.Module) -> Callable[[], None]:
    """Put copies in the place of all buffers: the originals are not even written to, so a pending backward works."""
    owners = [(child, dict(child._buffers)) for child in module.modules()]
    copies = {id(buffer): buffer.detach().clone() for buffer in module.buffers()}
    for child, originals in owners:
        child._buffers.update({name: copies.get(id(buffer), buffer) for name, buffer in originals.items()})

    def undo() -> None:
        for child, originals in owners:
            child._buffers.clear()
            child._buffers.update(originals)

    return undo


def _parameters(module: nn.Module) -> Callable[[], None]:
    states = [(parameter, parameter.requires_grad, parameter.grad) for parameter in module.parameters()]

    def undo() -> None:
        for parameter, requires_grad, gradient in states:
            parameter.requires_grad_(requires_grad)
            parameter.grad = gradient

    return undo


def _generators() -> Callable[[], None]:
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy is not None else None
    cpu_state = torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def undo() -> None:
        random.setstate(python_state)
        if numpy is not None:
            numpy.random.set_state(numpy_state)
        torch.set_rng_state(cpu_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)

    return undo
