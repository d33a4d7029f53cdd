"""Calibration from the confidence of every single answer: reliability diagram, and three calibration errors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.metrics.calibration import bin_of

__all__ = [
    "Reliability",
    "adaptive_calibration_error",
    "classwise_calibration_errors",
    "expected_calibration_error",
    "noise_floor",
    "reliability",
]


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: mean confidence, accuracy and number of the answers in every bin of confidence.

    Args:
        confidence: float64 of shape bins; NaN where a bin is empty.
        accuracy: The same of being right.
        count: int64 of shape bins.
    """

    confidence: Tensor
    accuracy: Tensor
    count: Tensor


def reliability(confidence: Tensor, hits: Tensor, bins: int = 15) -> Reliability:
    """Return the reliability diagram in equal bins of confidence (Guo et al., ICML 2017).

    Args:
        confidence: Float N in [0, 1].
        hits: Bool N: whether the answer was right; or the share of rights.
        bins: Number of bins over [0, 1].

    Example:
        >>> found = reliability(torch.tensor([0.9, 0.9, 0.6]), torch.tensor([True, False, True]), bins=2)
        >>> found.accuracy.tolist()[1], found.count.tolist()
        (0.6666666666666666, [0, 3])
    """
    place = bin_of(confidence.float().contiguous(), bins)
    count = torch.zeros(bins, dtype=torch.int64, device=place.device).index_add_(0, place, torch.ones_like(place))
    sums = torch.zeros(2, bins, dtype=torch.float64, device=place.device)
    sums.index_add_(1, place, torch.stack((confidence.double(), hits.double())))
    confidences, accuracies = (sums / count).unbind()
    return Reliability(confidences, accuracies, count)


def expected_calibration_error(confidence: Tensor, hits: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error of :func:`reliability`: in [0, 1], NaN without an answer.

    Example:
        >>> round(expected_calibration_error(torch.tensor([0.9, 0.8]), torch.tensor([True, False])), 3)
        0.45
    """
    return _weighted_gap(reliability(confidence, hits, bins))


def adaptive_calibration_error(confidence: Tensor, hits: Tensor, bins: int = 15) -> float:
    """Return the same in bins of equally many answers (Nixon et al., CVPR workshops 2019; of the top answer alone).

    A trained network's answers lie in one or two of the equal bins, in which over- and underconfidence cancel.

    Example:
        >>> adaptive_calibration_error(torch.tensor([0.75, 1.0]), torch.tensor([True, True]), bins=2)
        0.125
    """
    order = torch.argsort(hits.to(torch.int8), stable=True)  # ties by being right, so that no order of samples matters
    order = order[torch.argsort(confidence[order], stable=True)]
    parts = zip(confidence[order].double().tensor_split(bins), hits[order].double().tensor_split(bins), strict=True)
    gaps = [float((sure.sum() - right.sum()).abs()) for sure, right in parts]
    return sum(gaps) / len(confidence) if len(confidence) else torch.nan


def classwise_calibration_errors(probabilities: Tensor, targets: Tensor, bins: int = 15) -> Tensor:
    """Return the calibration error of every class's probability (Kull et al., NeurIPS 2019): float64 K.

    Here the confidence is the probability of the class, and what it is compared with is how often the class is true.

    Args:
        probabilities: N×K.
        targets: int64 N of classes, or N×K of 0 and 1.
        bins: Number of bins over [0, 1].

    Example:
        >>> classwise_calibration_errors(torch.tensor([[0.75, 0.25]]), torch.tensor([0])).tolist()
        [0.25, 0.25]
    """
    found = []
    for label in range(probabilities.shape[1]):
        true = targets == label if targets.ndim == 1 else targets[:, label] > 0.5
        found.append(expected_calibration_error(probabilities[:, label], true, bins))
    return torch.tensor(found, dtype=torch.float64)


def noise_floor(confidence: Tensor, bins: int = 15) -> float:
    """Return about what the calibration error of so many answers would be if every confidence were true.

    It is never 0: in a bin of n answers of confidence c, chance alone puts accuracy sqrt(2 c (1 - c) / (π n)) away.

    Args:
        confidence: Float N in [0, 1], of answers that are independent.
        bins: Number of bins over [0, 1].

    Example:
        >>> round(noise_floor(torch.full((100,), 0.5)), 4)
        0.0399
    """
    place = bin_of(confidence.float().contiguous(), bins)
    spread = confidence.double() * (1 - confidence.double())
    variances = torch.zeros(bins, dtype=torch.float64, device=place.device).index_add_(0, place, spread)
    return float((variances * 2 / math.pi).sqrt().sum() / len(confidence))


def _weighted_gap(found: Reliability) -> float:
    gaps = (found.confidence - found.accuracy).abs() * found.count
    return float(gaps.nan_to_num().sum() / found.count.sum())
