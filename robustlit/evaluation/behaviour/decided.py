"""What a model decides for single images of any task, kept so that versions of one image can be compared."""

from collections.abc import Sequence

import torch
from torch import Tensor

from robustlit.core.adapter import Adapter, Task
from robustlit.core.logits import two_sided
from robustlit.metrics.confusion import confusion_matrices, mean_iou
from robustlit.metrics.interval import bootstrap_mean_iou, resampled_mean_iou
from robustlit.metrics.rates import mean_share, paired_difference
from robustlit.metrics.targets import check_targets

__all__ = ["SCORE", "Comparison", "decisions", "difference", "figure", "right_of", "same_of"]

#: The score of a task in which versions of images are compared.
SCORE = {"classification": "accuracy", "multilabel": "accuracy", "segmentation": "iou"}


class Comparison:
    """Holds what a model says of versions of images against the truth, and against what it says of the images as such.

    Args:
        adapter: How targets are read.
        logits: Of the images as they are.
        targets: N or N×K, N×H×W or N×1×H×W.
        as_one: Classes of masks that count as one, in targets and decisions.

    Raises:
        ValueError: If logits and targets do not fit each other, in one line.

    Example:
        >>> compared = Comparison(Adapter(), torch.eye(2), torch.tensor([0, 0]))
        >>> compared.right(compared.before).tolist(), compared.same(torch.tensor([1, 1])).tolist()
        ([1.0, 0.0], [0.0, 1.0])
    """

    def __init__(self, adapter: Adapter, logits: Tensor, targets: Tensor, as_one: Sequence[int] = ()) -> None:
        self.task = adapter.task_of(targets, logits)
        check_targets(logits, targets, self.task, adapter.ignore_index)
        self.num_classes, self.ignore_index = logits.shape[1], adapter.ignore_index
        self.as_one = [each for each in as_one if each != adapter.ignore_index] if targets.ndim > 2 else []
        chosen = targets.argmax(1) if targets.ndim == 2 and self.task == "classification" else targets
        self.targets = self._merged(chosen)
        self.before = self.decided(logits)

    @property
    def masks(self) -> bool:
        """Whether decisions are maps, of which confusion matrices are kept."""
        return self.before.ndim == 3

    def decided(self, logits: Tensor) -> Tensor:
        """Return what is decided by the logits of a version."""
        return self._merged(decisions(logits, self.task))

    def right(self, decided: Tensor) -> Tensor:
        """Return how right the decisions for a version are, as :func:`right_of` does."""
        return right_of(decided, self.targets, self.task, self.num_classes, self.ignore_index)

    def same(self, decided: Tensor) -> Tensor:
        """Return how far they are those for the images as they are, as :func:`same_of` does."""
        return same_of(decided, self.before, self.task, self.num_classes)

    def _merged(self, classes: Tensor) -> Tensor:
        for each in self.as_one[1:]:
            classes = classes.masked_fill(classes == each, self.as_one[0])
        return classes


def decisions(logits: Tensor, task: Task) -> Tensor:
    """Return the class of every image (int64 N), label (N×K of 0 and 1) or pixel (N×H×W); -1 where it is NaN."""
    if task == "multilabel":
        return (logits > 0).long().where(~logits.isnan(), -1)
    logits = two_sided(logits)
    return logits.max(1).indices.where(~logits.isnan().any(1), -1)


def right_of(decided: Tensor, targets: Tensor, task: Task, num_classes: int, ignore_index: int | None) -> Tensor:
    """Return how right decisions are: the share of an image's labels (float N), or its confusion matrix (int64 N×K×K).

    Args:
        decided: As :func:`decisions` returns them.
        targets: N, N×K, N×H×W or N×1×H×W.
        task: The task.
        num_classes: K; at least 2 are counted in segmentation.
        ignore_index: Target of pixels that do not count.

    Example:
        >>> right_of(torch.tensor([2, 0]), torch.tensor([2, 1]), "classification", 3, None).tolist()
        [1.0, 0.0]
    """
    if task == "multilabel":
        return (decided == targets.long()).float().mean(1)
    maps = targets.squeeze(1) if targets.ndim == 4 else targets
    return same_of(decided, maps.long(), task, num_classes, ignore_index)


def same_of(decided: Tensor, others: Tensor, task: Task, num_classes: int, ignore_index: int | None = None) -> Tensor:
    """Return how far decisions are those of others: 0 or 1 an image (float N), or confusion matrices (int64 N×K×K)."""
    if task == "classification":
        return (decided == others).float()
    if task == "multilabel":
        return (decided == others).all(1).float()
    known = others.where(decided >= 0, -1)
    return confusion_matrices(decided.clamp(min=0), known, max(2, num_classes), ignore_index)


def figure(kept: Tensor, ignore_index: int | None = None) -> tuple[float, float, float]:
    """Return a figure and its 95 % interval from what was kept of every image: a mean share, or the mean IoU."""
    if kept.ndim == 1:
        return mean_share(kept)
    return (mean_iou(kept.sum(0), ignore_index).item(), *bootstrap_mean_iou(kept, ignore_index=ignore_index))


def difference(first: Tensor, second: Tensor, ignore_index: int | None = None) -> tuple[float, float, float]:
    """Return how much larger the first figure is than the second on the same images, and its paired 95 % interval."""
    if first.ndim == 1:
        return paired_difference(first, second)
    gap = (mean_iou(first.sum(0), ignore_index) - mean_iou(second.sum(0), ignore_index)).item()
    one, other = (resampled_mean_iou(each, ignore_index=ignore_index) for each in (first, second))
    low, high = (one - other).quantile(torch.tensor([0.025, 0.975])).tolist()
    return gap, low, high
