"""95 % intervals, so that no figure stands alone."""

import math

import torch
from torch import Tensor

from robustlit.core.random import mix, sample_seeds, uniform
from robustlit.metrics.confusion import mean_iou
from robustlit.metrics.standard_errors import Z95

__all__ = ["bootstrap_mean_iou", "resampled_mean_iou", "wilson"]


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Wilson, JASA 1927), which stays in [0, 1] and is right near 0 and 1.

    Args:
        successes: How many of the trials succeeded.
        n: Number of trials.
        z: Quantile of the standard normal distribution, for another level.

    Raises:
        ValueError: If ``n`` is not positive or ``successes`` is not in 0…n.

    Example:
        >>> [round(end, 4) for end in wilson(81, 263)]
        [0.2553, 0.3662]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n and n >= 1, got {successes} of {n}; try counts, not rates")
    rate, z2 = successes / n, z**2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n**2))
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def bootstrap_mean_iou(
    confusions: Tensor, *, ignore_index: int | None = None, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a data set's mean IoU, by drawing its images again (percentile bootstrap).

    Pixels of one image are alike, so the images are drawn and not the pixels.

    Args:
        confusions: int64 N×K×K, one confusion matrix an image.
        ignore_index: A class that is not scored.
        resamples: How many data sets of N images are drawn.
        seed: Seed of the draws.

    Raises:
        ValueError: If there is no image.
    """
    drawn = resampled_mean_iou(confusions, ignore_index=ignore_index, resamples=resamples, seed=seed)
    low, high = drawn.quantile(torch.tensor([0.025, 0.975])).tolist()
    return low, high


def resampled_mean_iou(
    confusions: Tensor, *, ignore_index: int | None = None, resamples: int = 1000, seed: int = 0
) -> Tensor:
    """Return the mean IoU of data sets drawn from the images of one: float32 of shape resamples.

    Two sets of matrices of the same images have the same draws, so that their differences are paired. The arguments
    and the errors are those of :func:`bootstrap_mean_iou`.
    """
    images = len(confusions)
    if images == 0:
        raise ValueError("expected at least one confusion matrix, got none; try a larger split")
    seeds = sample_seeds(mix(seed, "bootstrap"), torch.arange(resamples))
    drawn = (uniform(seeds, (images,)) * images).long().clamp(max=images - 1)
    times = torch.zeros(resamples, images, dtype=torch.float64)  # autocast and TF32 leave float64 alone
    times.scatter_add_(1, drawn, torch.ones_like(times))
    matrices = (times @ confusions.cpu().double().flatten(1)).view(resamples, *confusions.shape[1:])
    return mean_iou(matrices, ignore_index)
