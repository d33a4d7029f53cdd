"""Semantic segmentation scored from confusion matrices."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from robustlit.metrics.tally import tally
from robustlit.metrics.targets import in_classes

__all__ = ["SegmentationScores", "class_iou", "confusion_matrices", "mean_iou"]


def confusion_matrices(
    predictions: Tensor, targets: Tensor, num_classes: int, ignore_index: int | None = None
) -> Tensor:
    """Count, for every image, how often class j was predicted where class i is true.

    Args:
        predictions: int64 N×H×W, classes in 0…K-1.
        targets: int64 N×H×W; pixels whose target is not in 0…K-1 are not counted.
        num_classes: K.
        ignore_index: A class whose pixels are not counted either.

    Returns:
        int64 N×K×K, rows are true classes and columns predicted ones; sum over N for the data set's matrix.

    Example:
        >>> target, prediction = torch.tensor([[[0, 1, 1, 255]]]), torch.tensor([[[0, 0, 1, 1]]])
        >>> confusion_matrices(prediction, target, 2, ignore_index=255).tolist()
        [[[1, 0], [1, 1]]]
    """
    images, cells = len(targets), num_classes**2
    counted = in_classes(targets, num_classes, ignore_index)
    cell = torch.where(counted, targets.long() * num_classes + predictions, cells)  # one more cell, dropped below
    offsets = torch.arange(images, device=targets.device)[:, None] * (cells + 1)
    counts = tally(cell.flatten(1) + offsets, images * (cells + 1))
    return counts.view(images, cells + 1)[:, :cells].reshape(images, num_classes, num_classes)


def class_iou(confusion: Tensor, ignore_index: int | None = None) -> Tensor:
    """Return intersection over union of every class.

    Args:
        confusion: …×K×K counts, rows are true classes.
        ignore_index: A class that is not scored, where it lies in 0…K-1.

    Returns:
        float32 …×K in [0, 1]; NaN for classes that are neither true nor predicted anywhere, and for the ignored one.
    """
    counts = confusion.float()
    intersection = counts.diagonal(dim1=-2, dim2=-1)
    iou = intersection / (counts.sum(-1) + counts.sum(-2) - intersection)
    if ignore_index is not None and 0 <= ignore_index < counts.shape[-1]:
        iou[..., ignore_index] = torch.nan
    return iou


def mean_iou(confusion: Tensor, ignore_index: int | None = None) -> Tensor:
    """Return the mean of :func:`class_iou` over the classes that have one: float32 …, in [0, 1]."""
    return class_iou(confusion, ignore_index).nanmean(-1)


class SegmentationScores(Metric):
    """Pixel accuracy and intersection over union from one confusion matrix of the whole data set.

    ``compute`` returns ``accuracy`` (share of pixels), ``iou`` (mean over classes) and ``iou/<class>``, all in [0, 1];
    classes that are neither true nor predicted have no entry and do not count in the mean.

    Args:
        class_names: One name a class.
        ignore_index: Pixels with this target do not count.

    Example:
        >>> scores = SegmentationScores(("sky", "road"))
        >>> scores.update(torch.tensor([[[0, 0, 1, 1]]]), torch.tensor([[[0, 1, 1, 1]]]))
        >>> {name: round(value.item(), 3) for name, value in scores.compute().items()}
        {'accuracy': 0.75, 'iou': 0.583, 'iou/sky': 0.5, 'iou/road': 0.667}
    """

    full_state_update = False
    higher_is_better = True
    confusion: Tensor

    def __init__(self, class_names: Sequence[str], ignore_index: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.class_names = tuple(class_names)
        self.ignore_index = ignore_index
        classes = len(self.class_names)
        self.add_state("confusion", torch.zeros(classes, classes, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Count a batch: classes predicted and true, int64 N×H×W."""
        self.confusion += confusion_matrices(predictions, targets, len(self.class_names), self.ignore_index).sum(0)

    def compute(self) -> dict[str, Tensor]:
        """Return the scores by name."""
        counts = self.confusion.float()
        scores = {"accuracy": counts.trace() / counts.sum(), "iou": mean_iou(counts, self.ignore_index)}
        for name, iou in zip(self.class_names, class_iou(counts, self.ignore_index), strict=True):
            if not iou.isnan():
                scores[f"iou/{name}"] = iou
        return scores
