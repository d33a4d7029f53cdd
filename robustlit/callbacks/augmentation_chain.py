"""Augmentations one after another, on a batch's images and targets."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from robustlit.augmentations import AugmentationOp, Params
from robustlit.core import Adapter, exact_arithmetic
from robustlit.core.random import fold

__all__ = ["Changed", "Timer", "find_targets", "named", "run_chain"]


class Timer(Protocol):
    """Measures a block of an operation's work."""

    def __call__(self, name: str, device: torch.device) -> AbstractContextManager[None]:
        """Return what the operation of that name runs in."""


class Changed(NamedTuple):
    """What came out of a chain.

    Args:
        images: Float N×C×H×W.
        targets: As they now are; None where the batch has none.
        drawn: Name, operation and parameters of every step.
    """

    images: Tensor
    targets: Tensor | None
    drawn: list[tuple[str, AugmentationOp, Params]]


def run_chain(
    operations: Mapping[str, AugmentationOp],
    images: Tensor,
    targets: Tensor | None,
    seeds: Tensor,
    num_classes: int | None = None,
    timer: Timer | None = None,
) -> Changed:
    """Apply operations in their order; what each draws depends on its name and the samples' seeds.

    Args:
        operations: By name.
        images: Float N×C×H×W in [0, 1].
        targets: Class numbers N, labels N×K or class masks N×H×W or N×1×H×W; None where there are none.
        seeds: int64 of shape N.
        num_classes: How many classes there are, where labels may become soft.
        timer: What every operation is to run in.

    Raises:
        ValueError: If an operation needs masks, targets or a number of classes that there are not.
    """
    drawn: list[tuple[str, AugmentationOp, Params]] = []
    for name, operation in operations.items():
        if targets is None and (operation.changes_targets or operation.needs_masks):
            raise ValueError(f"expected targets for {name}, got a batch without; try Adapter(target=…)")
        with timer(name, images.device) if timer is not None else nullcontext():
            with exact_arithmetic(images.device):
                params: Params = operation.sample(images.shape, fold(seeds, name))
            masks = _masks(targets) if operation.needs_masks else None
            images = operation.apply(images, params, masks)
            if targets is not None:
                with exact_arithmetic(images.device):
                    targets = operation.change_targets(targets, params, num_classes or 0)
        drawn.append((name, operation, params))
    return Changed(images, targets, drawn)


def find_targets(adapter: Adapter, batch: Any) -> Tensor | None:
    """Return a batch's targets, or None where it has none that the adapter can read."""
    try:
        return adapter.targets(batch)
    except (TypeError, LookupError):
        return None


def named(operations: Any) -> dict[str, AugmentationOp]:
    """Name operations after their classes; the names are part of the draws, so positions must not matter.

    Raises:
        TypeError: If something is no operation.
    """
    if isinstance(operations, AugmentationOp):
        operations = [operations]
    if not isinstance(operations, Mapping):
        operations = _after_classes(operations)
    for name, operation in operations.items():
        if not isinstance(operation, AugmentationOp):
            raise TypeError(
                f"expected augmentations such as PatchGaussian(), got {type(operation).__name__} for {name!r}; "
                "try an operation of robustlit.augmentations"
            )
    return dict(operations)


def _after_classes(operations: Iterable[Any]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    found = {}
    for operation in operations:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(operation).__name__).lower()
        counts[name] += 1
        found[name if counts[name] == 1 else f"{name}_{counts[name]}"] = operation
    return found


def _masks(targets: Tensor | None) -> Tensor | None:
    """Return class masks N×H×W; those of binary segmentation may be N×1×H×W."""
    if targets is not None and targets.ndim == 4 and targets.shape[1] == 1:
        return targets[:, 0].long()
    return targets
