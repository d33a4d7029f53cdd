"""How far a classifier's confidence is from its accuracy."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

__all__ = ["CalibrationError"]


class CalibrationError(Metric):
    """Expected calibration error in equal bins of confidence (Guo, Pleiss, Sun and Weinberger, ICML 2017).

    For single-label targets the confidence is the highest probability; for multi-label ones every label counts by
    itself, with the probability of the likelier answer. Only sums a bin are kept, whatever the size of the data set.

    Args:
        bins: Number of bins over [0, 1].

    Example:
        >>> metric = CalibrationError()
        >>> metric.update(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.tensor([0, 1]))
        >>> round(metric.compute().item(), 3)  # (|0.9 - 1| + |0.8 - 0|) / 2
        0.45
    """

    full_state_update = False
    higher_is_better = False
    sums: Tensor
    count: Tensor

    def __init__(self, bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = bins
        self.add_state("sums", torch.zeros(bins, 2), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, targets: Tensor) -> None:
        """Count a batch: probabilities N×K, and int64 targets N (single label) or N×K of 0 and 1 (multi-label)."""
        if targets.ndim == 2:
            hit = (probabilities > 0.5) == (targets > 0.5)
            confidence = torch.maximum(probabilities, 1 - probabilities)
        else:
            confidence, predicted = probabilities.max(1)
            hit = predicted == targets
        edges = torch.linspace(0, 1, self.bins + 1, device=confidence.device)[1:-1]
        pairs = torch.stack((confidence.flatten(), hit.flatten()), 1)
        members = F.one_hot(torch.bucketize(confidence.flatten(), edges, right=True), self.bins).to(pairs)
        self.sums += members.T @ pairs  # a product of matrices is deterministic on CUDA, a weighted bincount is not
        self.count += len(pairs)

    def compute(self) -> Tensor:
        """Return the error: a scalar in [0, 1]."""
        confidence, hits = self.sums.unbind(1)
        return (confidence - hits).abs().sum() / self.count
