"""Area under the ROC curve in bounded memory."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from robustlit.metrics.tally import tally

__all__ = ["AUROC", "areas", "score_counts"]

_REACH = 16.0  # logits beyond ±16 share the outermost bins


def score_counts(
    probabilities: Tensor, targets: Tensor, bins: int = 1000, valid: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Count the scores of every label in bins of equal width in logit.

    Args:
        probabilities: N×K.
        targets: int64 N (single label) or N×K of 0 and 1 (multi-label).
        bins: Number of bins.
        valid: Bool N×K; the others do not count.

    Returns:
        int64 2×K×bins, those of false labels first, and the number of valid probabilities that are NaN.
    """
    labels = probabilities.shape[1]
    classes = torch.arange(labels, device=targets.device)
    true = targets > 0.5 if targets.ndim == 2 else targets[:, None] == classes
    place = (probabilities.float().logit() + _REACH) / (2 * _REACH)
    broken = place.isnan() if valid is None else place.isnan() & valid
    scores = (place.nan_to_num() * bins).clamp(0, bins - 1).long()
    cell = (true.long() * labels + classes) * bins + scores
    size = 2 * labels * bins
    if valid is not None:
        cell = cell.where(valid, size)  # one more cell, dropped below
    return tally(cell, size + 1)[:size].view(2, labels, bins), broken.sum()


def areas(counts: Tensor) -> Tensor:
    """Return the area under the curve of every label: float32 …×K in [0, 1], NaN without a curve.

    Args:
        counts: int64 …×2×K×bins of :func:`score_counts`.
    """
    falses, trues = counts.unbind(-3)
    higher = trues.flip(-1).cumsum(-1).flip(-1)  # in integers: on CUDA a sum of floats has no fixed order
    negatives, positives = falses.float(), trues.float()
    above = higher - positives  # positives that score higher than the bin
    wins = (negatives * (above + positives / 2)).sum(-1)
    return wins / (negatives.sum(-1) * positives.sum(-1))


class AUROC(Metric):
    """Area under the ROC curve of every class or label, one against the rest, averaged.

    Scores are counted in bins of equal width in logit, so that the resolution lies near 0 and 1, where a trained
    network puts its probabilities; scores in one bin count as ties. Classes that are always or never true have no
    curve and are left out of the mean.

    Args:
        num_classes: Number of classes or labels K; 2·K·bins integers are kept.
        bins: Number of bins.

    Example:
        >>> metric = AUROC(num_classes=1)
        >>> metric.update(torch.tensor([[0.9], [0.4], [0.6], [0.1]]), torch.tensor([[1], [1], [0], [0]]))
        >>> metric.compute().item()
        0.75
    """

    full_state_update = False
    higher_is_better = True
    counts: Tensor
    broken: Tensor

    def __init__(self, num_classes: int, bins: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.bins = bins
        self.add_state("counts", torch.zeros(2, num_classes, bins, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("broken", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, targets: Tensor) -> None:
        """Count a batch: probabilities N×K, and int64 targets N (single label) or N×K of 0 and 1 (multi-label)."""
        counts, broken = score_counts(probabilities, targets, self.bins)
        self.counts += counts
        self.broken += broken

    def compute(self) -> Tensor:
        """Return the mean area: a scalar in [0, 1], NaN where no class has a curve or a probability was NaN."""
        return areas(self.counts).nanmean().where(self.broken == 0, torch.nan)
