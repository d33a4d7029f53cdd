"""Whether targets are what a task's logits can be scored by: an error at the first batch, and not a wrong figure."""

from torch import Tensor

from robustlit.core.adapter import TORCH_IGNORE, Task

__all__ = ["check_targets", "in_classes"]

_SHOWN = 3  # strange values named in an error


def in_classes(targets: Tensor, num_classes: int, ignore_index: int | None = None) -> Tensor:
    """Return which targets are classes that count: bool of their shape.

    Args:
        targets: Integers of any shape.
        num_classes: K; classes are 0…K-1.
        ignore_index: A value that does not count, even if it is one of them.

    Example:
        >>> import torch
        >>> in_classes(torch.tensor([0, 1, 2, 255, -100]), 3, ignore_index=2).tolist()
        [True, True, False, False, False]
    """
    inside = (targets >= 0) & (targets < num_classes)
    return inside if ignore_index is None else inside & (targets != ignore_index)


def check_targets(logits: Tensor, targets: Tensor, task: Task, ignore_index: int | None = None) -> None:
    """Raise unless logits and targets fit each other and every target is a class, a label or ignored.

    It reads the targets back to the host, so it is for the first batch, not for every step.

    Args:
        logits: N×K, N×K×H×W, or N×1×H×W for a binary mask; N×1 stands for two classes.
        targets: N or N×K of probabilities for classification, N×K of 0 and 1 for multi-label tasks, N×H×W or N×1×H×W
            for segmentation.
        task: The task.
        ignore_index: Targets of this value do not count; None for torch's -100.

    Raises:
        ValueError: In one line that says what to try.

    Example:
        >>> import torch
        >>> check_targets(torch.zeros(1, 3, 2, 2), torch.tensor([[[0, 1], [2, 255]]]), "segmentation")
        Traceback (most recent call last):
        ...
        ValueError: expected targets in 0…2, got 255; try Adapter(ignore_index=255) if it stands for no class
    """
    _check_shapes(logits, targets, task)
    if task == "classification" and targets.ndim == 2:
        return
    largest = 1 if task == "multilabel" else max(2, logits.shape[1]) - 1
    ignored = TORCH_IGNORE if ignore_index is None else ignore_index
    strange = targets[((targets < 0) | (targets > largest)) & (targets != ignored)]
    if strange.numel() == 0:
        return
    found = sorted(set(strange.tolist()))
    if largest == 1 and found == [255] and not bool((targets == 1).any()):
        raise ValueError("expected targets of 0 and 1, got 0 and 255; try dividing them by 255")
    shown = ", ".join(f"{value:g}" for value in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
    hint = f"Adapter(ignore_index={found[0]:g}) if it stands for no class"
    if len(found) > 1:
        hint = "numbering the classes from 0, and Adapter(ignore_index=…) for what is none"
    raise ValueError(f"expected targets in 0…{largest}, got {shown}; try {hint}")


def _check_shapes(logits: Tensor, targets: Tensor, task: Task) -> None:
    """Raise unless both are of the task's shapes; the first axis of each is N."""
    given = f"got {_written(logits)} with targets {_written(targets)}"
    shape, count = tuple(targets.shape), len(targets)
    if task in ("classification", "multilabel"):
        if logits.ndim != 2:
            raise ValueError(f"expected logits N×K, {given}; try Adapter(logits=lambda output: output[:, None])")
        labels = (count, logits.shape[1])
        if shape not in ([labels] if task == "multilabel" else [(count,), labels]):
            hint = "Adapter(target=lambda batch: batch[1].squeeze(1)) for class numbers"
            raise ValueError(f"expected targets N×K as the logits, or N of classes, {given}; try {hint}")
    else:
        if logits.ndim != 4:
            raise ValueError(f"expected logits N×K×H×W, {given}; try Adapter(logits=lambda output: …)")
        if shape not in ((count, *logits.shape[2:]), (count, 1, *logits.shape[2:])):
            raise ValueError(f"expected targets of the logits' height and width, {given}; try resizing the logits")
    if len(logits) != count:
        raise ValueError(f"expected as many logits as targets, {given}; try Adapter(logits=lambda output: …)")


def _written(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
