"""How far a classifier's confidence is from its accuracy."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["CalibrationError"]

_UNIT = 2**24  # a float32 in [0.5, 1] is a multiple of 1 / 2^24


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
        probabilities = probabilities.float()
        if targets.ndim == probabilities.ndim:
            confidence = torch.maximum(probabilities, 1 - probabilities)
            hit = (probabilities > 0.5) == (targets > 0.5)
        else:
            confidence, predicted = probabilities.max(1)
            hit = predicted == targets
        gap = confidence - hit.float()
        if self.ignore_index is not None:
            valid = targets != self.ignore_index
            gap = gap.where(valid, 0)
            self.count += valid.sum()
        else:
            self.count += gap.numel()
        self.broken += gap.isnan().sum()
        self.gaps += self._binned(confidence, (gap.nan_to_num() * _UNIT).long())

    def compute(self) -> Tensor:
        """Return the error: a scalar in [0, 1], NaN where a probability was."""
        error = self.gaps.abs().sum() / _UNIT / self.count
        return error.where(self.broken == 0, torch.nan)

    def _binned(self, confidence: Tensor, gap: Tensor) -> Tensor:
        """Return the sum of gaps in every bin: int64 of shape bins."""
        edges = torch.linspace(0, 1, self.bins + 1, device=confidence.device)[1:-1]
        place = torch.bucketize(confidence, edges, right=True)
        # a sum a row first: on a GPU all pixels of a batch would queue for the one bin that holds most of them
        rows = gap.new_zeros(*gap.shape[:-1], self.bins).scatter_add_(-1, place, gap)
        return rows.flatten(0, -2).sum(0) if rows.ndim > 1 else rows
