"""What a look at a model may disturb, and how each part is put back.

Every function remembers a part as it is now, and returns the function that makes it so again.
"""

import random
import sys
from collections.abc import Callable

import torch
from torch import nn

__all__ = ["buffers", "generators", "gradients", "hooks", "modes", "parameters"]

_HOOK_TABLES = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def modes(module: nn.Module) -> Callable[[], None]:
    """Remember the train/eval flag of every submodule."""
    flags = [(child, child.training) for child in module.modules()]

    def undo() -> None:
        for child, training in flags:
            child.training = training

    return undo


def hooks(module: nn.Module) -> Callable[[], None]:
    """Remember the hooks of every submodule."""
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


def buffers(module: nn.Module) -> Callable[[], None]:
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


def parameters(module: nn.Module) -> Callable[[], None]:
    """Remember whether each parameter asks for a gradient."""
    states = [(parameter, parameter.requires_grad) for parameter in module.parameters()]

    def undo() -> None:
        for parameter, requires_grad in states:
            parameter.requires_grad_(requires_grad)

    return undo


def gradients(module: nn.Module) -> Callable[[], None]:
    """Remember the gradient of every parameter, the tensor itself."""
    states = [(parameter, parameter.grad) for parameter in module.parameters()]

    def undo() -> None:
        for parameter, gradient in states:
            parameter.grad = gradient

    return undo


def generators() -> Callable[[], None]:
    """Remember the states of the random number generators of Python, NumPy and torch, on every device."""
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
