"""Attacking a module in the middle of a Trainer's work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core import Adapter, neutral_scope
from robustlit.core.names import lookup
from robustlit.core.pixels import exact_arithmetic
from robustlit.evaluation.passes.looking import looking

__all__ = ["PRECISIONS", "Precision", "attacking", "check_precision", "hard_targets", "precision_words"]

Precision: TypeAlias = Literal["32", "trainer"]
PRECISIONS = ("32", "trainer")


def check_precision(precision: str) -> Precision:
    """Return it, or raise.

    Raises:
        ValueError: If there is no such precision.
    """
    table: dict[str, Precision] = {"32": "32", "trainer": "trainer"}
    return lookup("precision", str(precision), table)


@contextmanager
def attacking(
    trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, precision: Precision = "32"
) -> Iterator[Callable[[Tensor], Tensor]]:
    """Attack a module and leave no trace.

    Gradients rounded to 16 bits point elsewhere, and an attack that fails makes a model look robust; so by default the
    model runs in float32 without autocast and TF32, whatever the Trainer's precision. Weights that are kept in another
    type keep it.

    Args:
        trainer: Whose precision the forwards have with ``precision="trainer"``.
        module: The module itself, never a wrapper of it.
        adapter: How to call it.
        precision: "32", or "trainer" for that of the Trainer.

    Yields:
        A function from images in [0, 1] to float32 logits, differentiable in the images.
    """
    if precision == "trainer":
        with looking(trainer, module, adapter, grad=True) as predict:
            yield predict
        return
    dtype = _weights_dtype(module)

    def predict_exactly(images: Tensor) -> Tensor:
        return adapter.predict(module, images.to(dtype)).float()

    with neutral_scope(module, grad=True), exact_arithmetic(module.device):
        yield predict_exactly


def precision_words(trainer: pl.Trainer, module: pl.LightningModule, precision: Precision) -> str:
    """Return the precision of the forwards, to be put beside the figures."""
    if precision == "trainer":
        return str(trainer.precision)
    return str(_weights_dtype(module)).removeprefix("torch.")


def hard_targets(adapter: Adapter, targets: Tensor, logits: Tensor) -> Tensor:
    """Return targets that attacks understand: the likeliest class where they are class probabilities."""
    soft = targets.ndim == 2 and adapter.task_of(targets, logits) == "classification"
    return targets.argmax(1) if soft else targets


def _weights_dtype(module: pl.LightningModule) -> torch.dtype:
    return next((weight.dtype for weight in module.parameters() if weight.is_floating_point()), torch.float32)
