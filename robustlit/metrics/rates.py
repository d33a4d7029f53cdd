"""Means of shares that images have, and differences of two of them over the same images, with their intervals."""

import math

import torch
from torch import Tensor

from robustlit.metrics.interval import wilson
from robustlit.metrics.standard_errors import Z95, normal_interval

__all__ = ["mean_share", "paired_difference"]


def mean_share(shares: Tensor) -> tuple[float, float, float]:
    """Return the mean of shares in [0, 1] and its 95 % interval: Wilson's where each is 0 or 1, else the normal one.

    Args:
        shares: One an image, of any type, of shape N with N of at least 1.

    Example:
        >>> [round(value, 4) for value in mean_share(torch.tensor([True] * 9 + [False]))]
        [0.9, 0.5958, 0.9821]
    """
    values, n = shares.double(), len(shares)
    mean = values.mean().item()
    if bool(((values == 0) | (values == 1)).all()):
        return (mean, *wilson(round(mean * n), n))
    error = values.std().item() / math.sqrt(n) if n > 1 else math.nan
    return (mean, *normal_interval(mean, error))


def paired_difference(first: Tensor, second: Tensor) -> tuple[float, float, float]:
    """Return how much larger the mean of one share is than that of another, and the 95 % interval of that.

    Both are of the same images, so that what is hard for both cancels out. The interval is the normal one of the
    differences, with half an image added to each of the four outcomes, so that it has a width where no image differs
    (Agresti and Min, Statistics in Medicine 2005).

    Args:
        first: Shares in [0, 1], one an image, of shape N.
        second: Likewise, of the same images.

    Example:
        >>> one, other = torch.tensor([1.0, 1, 1, 1]), torch.tensor([1.0, 0, 1, 1])
        >>> mean, low, high = paired_difference(one, other)
        >>> mean, low < mean < high
        (0.25, True)
    """
    differences = first.double() - second.double()
    more = torch.cat((differences, differences.new_tensor([1.0, -1.0, 0.0, 0.0])))
    weights = torch.cat((torch.ones_like(differences), differences.new_full((4,), 0.5)))
    total = weights.sum()
    centre = (more * weights).sum() / total
    variance = ((more - centre) ** 2 * weights).sum() / total
    half, middle = Z95 * math.sqrt(variance.item() / total.item()), centre.item()
    return differences.mean().item(), max(-1.0, middle - half), min(1.0, middle + half)
