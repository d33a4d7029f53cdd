"""How well scores rank two groups: ROC curve, areas under curves, operating points. Exact, from every score."""

import math

import torch
from torch import Tensor

from robustlit.metrics.standard_errors import Z95, normal_interval

__all__ = [
    "area_under_roc",
    "auroc_interval",
    "average_precision",
    "average_precision_interval",
    "fpr_at_tpr",
    "roc_curve",
    "threshold_at_specificity",
]


def roc_curve(scores: Tensor, positives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the ROC curve, a point for every different score.

    Args:
        scores: Float N, higher for what is thought positive.
        positives: Bool N.

    Returns:
        False positive rates, true positive rates and thresholds, float64, from (0, 0, infinity) to (1, 1, the lowest
        score): a sample is called positive where its score is at least the threshold. NaN where a group is empty.

    Example:
        >>> false, true, thresholds = roc_curve(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, True]))
        >>> false.tolist(), true.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    ordered, order = scores.double().sort(descending=True, stable=True)
    true = positives[order].cumsum(0)
    false = (~positives[order]).cumsum(0)
    last = torch.ones_like(ordered, dtype=torch.bool)
    last[:-1] = ordered[1:] != ordered[:-1]  # of every group of equal scores
    start = ordered.new_zeros(1)
    false_rate = torch.cat((start, false[last] / (~positives).sum().double()))
    true_rate = torch.cat((start, true[last] / positives.sum().double()))
    return false_rate, true_rate, torch.cat((start + math.inf, ordered[last]))


def area_under_roc(scores: Tensor, positives: Tensor) -> float:
    """Return the area under the ROC curve, ties counting half: in [0, 1]; NaN where a group is empty or a score NaN.

    Example:
        >>> area_under_roc(torch.tensor([0.9, 0.4, 0.6, 0.1]), torch.tensor([True, True, False, False]))
        0.75
    """
    if _is_undefined(scores, positives):
        return math.nan
    return float(_shares_below(scores, positives)[0].mean())


def auroc_interval(scores: Tensor, positives: Tensor) -> tuple[float, float]:
    """Return the 95 % interval of :func:`area_under_roc`: DeLong, DeLong and Clarke-Pearson, Biometrics 1988.

    Where the groups are fully apart that interval has no width; then it is Newcombe's (Statistics in Medicine 2006,
    method 5), which has.
    """
    if _is_undefined(scores, positives):
        return 0.0, 1.0
    above, below = _shares_below(scores, positives)
    area = float(above.mean())
    if area in (0.0, 1.0):
        return _newcombe(area, len(above), len(below))
    return normal_interval(area, math.sqrt(_variance_of_mean(above) + _variance_of_mean(below)))


def average_precision(scores: Tensor, positives: Tensor) -> float:
    """Return the area under the precision-recall curve as a sum of steps: in [0, 1]; NaN as for the ROC curve.

    Example:
        >>> round(average_precision(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, True])), 4)
        0.8333
    """
    if _is_undefined(scores, positives):
        return math.nan
    false_rate, true_rate, _ = roc_curve(scores, positives)
    false, true = false_rate * (~positives).sum(), true_rate * positives.sum()
    precision = true[1:] / (true[1:] + false[1:])
    return float((true_rate.diff() * precision).sum())


def average_precision_interval(value: float, positives: int) -> tuple[float | None, float | None]:
    """Return the 95 % interval of an average precision, symmetric in logit (Boyd, Eng and Page, ECML 2013).

    Args:
        value: The average precision.
        positives: Number of positives.

    Returns:
        None twice for 0 and 1, where there is no such interval.

    Example:
        >>> [round(end, 3) for end in average_precision_interval(0.5, 100)]
        [0.403, 0.597]
    """
    if not 0 < value < 1:
        return None, None
    centre, half = math.log(value / (1 - value)), Z95 / math.sqrt(positives * value * (1 - value))
    return 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre))


def fpr_at_tpr(scores: Tensor, positives: Tensor, tpr: float = 0.95) -> float:
    """Return the smallest false positive rate at which the true positive rate is at least ``tpr``; NaN as above.

    Example:
        >>> fpr_at_tpr(torch.tensor([0.9, 0.8, 0.7, 0.1]), torch.tensor([True, False, True, False]))
        0.5
    """
    if _is_undefined(scores, positives):
        return math.nan
    false_rate, true_rate, _ = roc_curve(scores, positives)
    return float(false_rate[true_rate >= tpr - 1e-12].min())


def threshold_at_specificity(scores: Tensor, positives: Tensor, specificity: float) -> float:
    """Return the threshold with the highest sensitivity at which at least this share of the negatives score lower.

    Of several it is the highest, so the most specific; infinity where no score that occurs will do.

    Example:
        >>> scores = torch.tensor([0.9, 0.8, 0.6, 0.3, 0.1])
        >>> round(threshold_at_specificity(scores, torch.tensor([True, False, True, False, False]), 0.6), 2)
        0.6
    """
    false_rate, true_rate, thresholds = roc_curve(scores, positives)
    held = 1 - false_rate >= specificity - 1e-12
    return float(thresholds[held & (true_rate == true_rate[held].max())].max())


def _is_undefined(scores: Tensor, positives: Tensor) -> bool:
    return bool(scores.isnan().any()) or bool(positives.all()) or not bool(positives.any())


def _shares_below(scores: Tensor, positives: Tensor) -> tuple[Tensor, Tensor]:
    """For every positive the share of the negatives that score lower, and the other way round; ties by half."""
    scores = scores.double()
    trues, falses = scores[positives].sort().values, scores[~positives].sort().values

    def share(of: Tensor, among: Tensor) -> Tensor:
        lower = torch.searchsorted(among, of)
        return (lower + torch.searchsorted(among, of, right=True)).double() / (2 * len(among))

    return share(trues, falses), share(falses, trues)


def _variance_of_mean(values: Tensor) -> float:
    return float(values.var() / len(values)) if len(values) > 1 else 0.0


def _newcombe(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The areas at which the one found is just within 95 %, the variance being that of the area assumed."""

    def inside(assumed: float) -> bool:
        spread = (1 - assumed) / (2 - assumed) + assumed / (1 + assumed)
        variance = assumed * (1 - assumed) * (1 + ((positives + negatives) / 2 - 1) * spread) / (positives * negatives)
        return abs(assumed - area) <= Z95 * math.sqrt(variance)

    far, near = 1 - area, area
    for _ in range(60):
        middle = (far + near) / 2
        far, near = (far, middle) if inside(middle) else (middle, near)
    return (near, 1.0) if area else (0.0, near)
