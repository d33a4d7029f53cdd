"""Where an attack searches: the model in eval mode with frozen parameters, and everything as before afterwards."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

__all__ = ["searching"]


@contextmanager
def searching(module: nn.Module | None, *, train: bool = False) -> Iterator[None]:
    """Search for adversarial images on a module, and leave it and every global state bit-identical.

    Restored, also after an exception: the train/eval flag of every submodule, ``requires_grad`` of every parameter,
    buffers (so BatchNorm statistics), and the states of the generators of Python, NumPy and torch. Unlike
    ``robustlit.core.neutral_scope`` the surrounding autocast stays on and compiled code stays compiled, so that an
    attack in training costs what the Trainer's precision costs. It works under ``no_grad`` and ``inference_mode``.

    Args:
        module: The unwrapped module; None where the model is a function that takes care of its own module.
        train: Whether train/eval flags stay as they are, so that BatchNorm normalises by the attacked batch.

    Example:
        >>> model = nn.Sequential(nn.Linear(3, 3), nn.Dropout()).train()
        >>> with searching(model):
        ...     model[1].training, model[0].weight.requires_grad
        (False, False)
        >>> model[1].training, model[0].weight.requires_grad
        (True, True)
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        stack.callback(_generators())
        if module is not None:
            for undo in (_modes(module), _frozen(module), _buffers(module)):
                stack.callback(undo)
            for parameter in module.parameters():
                parameter.requires_grad_(False)
            if not train:
                for child in module.modules():  # not eval(), which modules override
                    child.training = False
        yield


def _modes(module: nn.Module) -> Callable[[], None]:
    modes = [(child, child.training) for child in module.modules()]

    def undo() -> None:
        for child, training in modes:
            child.training = training

    return undo


def _frozen(module: nn.Module) -> Callable[[], None]:
    states = [(parameter, parameter.requires_grad) for parameter in module.parameters()]

    def undo() -> None:
        for parameter, requires_grad in states:
            parameter.requires_grad_(requires_grad)

    return undo


def _buffers(module: nn.Module) -> Callable[[], None]:
    """Put copies in the place of all buffers, so that the originals are not even written to."""
    owners = [(child, dict(child._buffers)) for child in module.modules()]
    copies = {id(buffer): buffer.detach().clone() for buffer in module.buffers()}
    for child, originals in owners:
        child._buffers.update({name: copies.get(id(buffer), buffer) for name, buffer in originals.items()})

    def undo() -> None:
        for child, originals in owners:
            child._buffers.clear()
            child._buffers.update(originals)

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
