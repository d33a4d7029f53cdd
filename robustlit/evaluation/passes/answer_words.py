"""What is true and what a model says of images, in words."""

from collections.abc import Sequence

import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.logits import two_sided

__all__ = ["answer_words"]


def answer_words(
    adapter: Adapter, logits: Tensor, targets: Tensor, names: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return what is true and what the model says of each image: class names, or the share of labels or pixels.

    Args:
        adapter: Tells the task.
        logits: N×K, N×K×H×W or N×1×H×W.
        targets: N, N×K, N×H×W or N×1×H×W.
        names: Of the classes.

    Example:
        >>> answer_words(Adapter(), torch.eye(2), torch.tensor([0, 0]), ["cat", "dog"])
        (['cat', 'cat'], ['cat', 'dog'])
    """
    task = adapter.task_of(targets, logits)
    if task == "classification":
        truth = targets.argmax(1) if targets.ndim == 2 else targets
        return _named(truth, names), _named(two_sided(logits).argmax(1), names)
    if task == "multilabel":
        right = ((logits > 0) == (targets > 0.5)).float().mean(1)
        return _shares(torch.ones_like(right), "labels"), _shares(right, "labels")
    truth = targets.squeeze(1) if targets.ndim == 4 else targets
    predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
    counted = (
        torch.ones_like(truth, dtype=torch.bool) if adapter.ignore_index is None else truth != adapter.ignore_index
    )
    right = ((predicted == truth) & counted).flatten(1).sum(1) / counted.flatten(1).sum(1).clamp(min=1)
    return _shares(torch.ones_like(right), "pixels"), _shares(right, "pixels")


def _named(classes: Tensor, names: Sequence[str] | None) -> list[str]:
    return [names[place] if names else f"class {place}" for place in classes.tolist()]


def _shares(right: Tensor, of: str) -> list[str]:
    return [f"{100 * share:.0f} % {of} right" for share in right.tolist()]
