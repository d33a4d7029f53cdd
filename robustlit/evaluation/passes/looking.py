"""Looking at a module in the middle of a Trainer's work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from robustlit.core import Adapter, neutral_scope

__all__ = ["first_loader", "looking", "share_of"]


@contextmanager
def looking(
    trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, *, grad: bool = False
) -> Iterator[Callable[[Tensor], Tensor]]:
    """Look at a module and leave no trace.

    Args:
        trainer: Whose precision the forwards have.
        module: The module itself, never a wrapper of it.
        adapter: How to call it.
        grad: Whether gradients with respect to the images are wanted.

    Yields:
        A function from images in [0, 1] to float32 logits.
    """
    precision = trainer.precision_plugin

    def predict(images: Tensor) -> Tensor:
        with precision.val_step_context():
            return adapter.predict(module, precision.convert_input(images)).float()

    with neutral_scope(module, grad=grad):
        yield predict


def first_loader(loaders: Any) -> Any:
    """Return the first of the loaders that a Trainer holds: one, a list, a dict, or Lightning's collection of them."""
    loaders = getattr(loaders, "iterables", loaders)
    if isinstance(loaders, dict):
        loaders = list(loaders.values())
    return loaders[0] if isinstance(loaders, list | tuple) else loaders


def share_of(loader: Any, batches: float) -> float:
    """Return the share of a loader's batches that a Trainer limited to ``batches`` will take."""
    try:
        return min(1.0, batches / len(loader))
    except (TypeError, ZeroDivisionError):  # a stream has no length
        return 1.0
