"""Where an attack searches: the model in eval mode with frozen parameters, and everything as before afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from robustlit.core import restore

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
        stack.callback(restore.generators())
        if module is not None:
            for part in (restore.modes, restore.parameters, restore.buffers):
                stack.callback(part(module))
            for parameter in module.parameters():
                parameter.requires_grad_(False)
            if not train:
                for child in module.modules():  # not eval(), which modules override
                    child.training = False
        yield
