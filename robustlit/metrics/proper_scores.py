"""What a probabilistic answer is worth: confidence, being right, negative log-likelihood and Brier score of each."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Judged", "judge", "mean_with_error"]


class Judged(NamedTuple):
    """Answers, judged one by one; each of shape M.

    Args:
        confidence: The highest probability, float32.
        hits: Whether that class is the true one, bool.
        nll: Negative log-likelihood of the true class, in nats, float32.
        brier: Brier's score (Monthly Weather Review 1950), float32: the sum of the squared errors of all probabilities,
            in [0, 2]; with two classes half of it, which is the squared error of one probability.
    """

    confidence: Tensor
    hits: Tensor
    nll: Tensor
    brier: Tensor


def judge(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Judged:
    """Judge answers.

    Args:
        logits: M×K, K at least 2.
        targets: int64 M in 0…K-1.
        temperature: The logits are divided by it first.

    Example:
        >>> found = judge(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
        >>> [round(part.item(), 4) for part in found]
        [0.5, 0, 0.6931, 0.25]
    """
    log = (logits.float() / temperature).log_softmax(1)
    probabilities = log.exp()
    confidence, predicted = probabilities.max(1)
    errors = (probabilities - F.one_hot(targets, logits.shape[1])).square().sum(1)
    nll = -log.gather(1, targets[:, None])[:, 0]
    return Judged(confidence, predicted == targets, nll, errors / 2 if logits.shape[1] == 2 else errors)


def mean_with_error(values: Tensor, images: Tensor) -> tuple[float, float]:
    """Return the mean of values and its standard error over the drawing of images.

    What is of one image is alike, so the images are the sample and not the values.

    Args:
        values: Float M.
        images: int64 M, the image that each is of.

    Example:
        >>> mean_with_error(torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([4, 4, 5, 5]))
        (0.5, 0.5)
    """
    values = values.double()
    mean = values.mean()
    known, place = torch.unique(images, return_inverse=True)
    sums = torch.zeros(len(known), dtype=torch.float64).index_add_(0, place, values - mean)
    if len(known) < 2:
        return float(mean), math.nan
    variance = sums.square().sum() * len(known) / (len(known) - 1)
    return float(mean), math.sqrt(float(variance)) / len(values)
