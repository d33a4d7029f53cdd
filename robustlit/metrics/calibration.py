"""How far a classifier's confidence is from its accuracy."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["CalibrationError", "bin_of", "calibration_error", "confidence_gaps"]

_UNIT = 2**24  # a float32 in [0.5, 1] is a multiple of 1 / 2^24


def confidence_gaps(
    probabilities: Tensor, targets: Tensor, bins: int = 15, valid: Tensor | None = None
) -> tuple[Tensor, Tensor | int, Tensor]:
    """Sum, for every bin of confidence, how far confidence lies above being right.

    Args:
        probabilities: N×K, or N×K×H×W for maps.
        targets: int64 N or N×H×W of classes, or N×K of 0 and 1 (multi-label).
        bins: Number of bins over [0, 1].
        valid: Bool of the targets' shape; the others do not count.

    Returns:
        The sums in units of 1 / 2^24, int64 of shape bins; how many targets counted; how many of those were NaN.
    """
    probabilities = probabilities.float()
    if targets.ndim == probabilities.ndim:
        confidence = torch.maximum(probabilities, 1 - probabilities)
        hit = (probabilities > 0.5) == (targets > 0.5)
    else:
        confidence, predicted = probabilities.max(1)
        hit = predicted == targets
    gap = confidence - hit.float()
    count = gap.numel() if valid is None else valid.sum()
    if valid is not None:
        gap = gap.where(valid, 0)
    return _binned(confidence, (gap.nan_to_num() * _UNIT).long(), bins), count, gap.isnan().sum()


def calibration_error(gaps: Tensor, count: Tensor) -> Tensor:
    """Return the error out of the sums of :func:`confidence_gaps`, …×bins and …: float32 … in [0, 1]."""
    return gaps.abs().sum(-1) / _UNIT / count


def bin_of(confidence: Tensor, bins: int) -> Tensor:
    """Return the bin of equal width of every confidence in [0, 1], int64 of its shape; a lower edge is inside."""
    edges = torch.linspace(0, 1, bins + 1, device=confidence.device)[1:-1]
    return torch.bucketize(confidence, edges, right=True)


class CalibrationError(Metric):
    """Expected calibration error in equal bins of confidence (Guo, Pleiss, Sun and Weinberger, ICML 2017).

    For single-label targets the confidence is the highest probability, in segmentation that of every valid pixel; for
    multi-label ones every label counts by itself, with the probability of the likelier answer. Only sums a bin are
    kept, whatever the size of the data set. They are integers, so that they are the same in any order and precision.

    Args:
        bins: Number of bins over [0, 1].
        ignore_index: Samples or pixels with this target do not count.

    Example:
        >>> metric = CalibrationError()
        >>> metric.update(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.tensor([0, 1]))
        >>> round(metric.compute().item(), 3)  # (|0.9 - 1| + |0.8 - 0|) / 2
        0.45
    """

    full_state_update = False
    higher_is_better = False
    gaps: Tensor
    count: Tensor
    broken: Tensor

    def __init__(self, bins: int = 15, ignore_index: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = bins
        self.ignore_index = ignore_index
        self.add_state("gaps", torch.zeros(bins, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("broken", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, targets: Tensor) -> None:
        """Count a batch.

        Args:
            probabilities: N×K, or N×K×H×W for maps.
            targets: int64 N or N×H×W of classes, or N×K of 0 and 1 (multi-label).
        """
        valid = None if self.ignore_index is None else targets != self.ignore_index
        gaps, count, broken = confidence_gaps(probabilities, targets, self.bins, valid)
        self.gaps += gaps
        self.count += count
        self.broken += broken

    def compute(self) -> Tensor:
        """Return the error: a scalar in [0, 1], NaN where a probability was."""
        return calibration_error(self.gaps, self.count).where(self.broken == 0, torch.nan)


def _binned(confidence: Tensor, gap: Tensor, bins: int) -> Tensor:
    """Return the sum of gaps in every bin: int64 of shape bins."""
    place = bin_of(confidence, bins)
    # a sum a row first: on a GPU all pixels of a batch would queue for the one bin that holds most of them
    rows = gap.new_zeros(*gap.shape[:-1], bins).scatter_add_(-1, place, gap)
    return rows.flatten(0, -2).sum(0) if rows.ndim > 1 else rows
