"""The worst of several attacks for every image, where the score of a data set is no mean over images: mean IoU."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from robustlit.metrics.standard_errors import normal_interval

__all__ = ["WorstCase", "mean_overlap", "worst_overlap"]

_ROUNDS = 5


class WorstCase(NamedTuple):
    """The lowest mean IoU that was found.

    Args:
        score: In [0, 1].
        low: Lower end of its 95 % interval, over the drawing of images.
        high: Upper end.
        chosen: int64 of shape N, the attack that was taken for every image.
    """

    score: float
    low: float
    high: float
    chosen: Tensor


def mean_overlap(hits: Tensor, sums: Tensor, ignore_index: int | None = None) -> Tensor:
    """Return mean IoU, float64 of shape ….

    Args:
        hits: …×K pixels that are both true and predicted of a class.
        sums: …×K pixels that are true plus pixels that are predicted of a class.
        ignore_index: A class that is not scored.

    Example:
        >>> mean_overlap(torch.tensor([3, 0]), torch.tensor([8, 0])).item()
        0.6
    """
    iou = hits.double() / (sums - hits).double()
    if ignore_index is not None and 0 <= ignore_index < iou.shape[-1]:
        iou[..., ignore_index] = torch.nan
    return iou.nanmean(-1)


def worst_overlap(hits: Tensor, sums: Tensor, ignore_index: int | None = None) -> WorstCase:
    """Choose an attack for every image so that the mean IoU of all images together is as low as can be found.

    As in SEA (Croce, Singh and Hein, "Towards Reliable Evaluation and Fast Training of Robust Semantic Segmentation
    Models", 2024): it begins with the attack of the lowest mean IoU and goes through the images, again and again until
    no exchange lowers it. The result is never above that of any of the attacks.

    Args:
        hits: int64 A×N×K, of attack A and image N, as in :func:`mean_overlap`.
        sums: Likewise.
        ignore_index: A class that is not scored.

    Example:
        >>> hits = torch.tensor([[[5], [1]], [[2], [4]]])
        >>> found = worst_overlap(hits, torch.full_like(hits, 10))
        >>> found.chosen.tolist(), round(found.score, 3)
        ([1, 0], 0.176)
    """
    hits, sums = hits.cpu(), sums.cpu()
    each = mean_overlap(hits.sum(1), sums.sum(1), ignore_index)
    chosen = torch.full((hits.shape[1],), int(each.argmin()), dtype=torch.int64)
    places = torch.arange(hits.shape[1])
    total_hits, total_sums = hits[chosen, places].sum(0), sums[chosen, places].sum(0)
    lowest = float(each.min())
    for _ in range(_ROUNDS):
        before = lowest
        for image in range(hits.shape[1]):
            now = int(chosen[image])
            other_hits = total_hits - hits[now, image] + hits[:, image]
            other_sums = total_sums - sums[now, image] + sums[:, image]
            scores = mean_overlap(other_hits, other_sums, ignore_index)
            best = int(scores.argmin())
            if float(scores[best]) < lowest:
                chosen[image], lowest = best, float(scores[best])
                total_hits, total_sums = other_hits[best], other_sums[best]
        if lowest == before:
            break
    low, high = _interval(hits[chosen, places], sums[chosen, places], lowest, ignore_index)
    return WorstCase(lowest, low, high, chosen)


def _interval(hits: Tensor, sums: Tensor, score: float, ignore_index: int | None) -> tuple[float, float]:
    """The 95 % interval by the delta method: how much every image moves the mean IoU."""
    images = len(hits)
    if images < 2:
        return normal_interval(score, math.nan)
    total, both = hits.sum(0).double(), sums.sum(0).double()
    union = both - total
    counts = union > 0
    if ignore_index is not None and 0 <= ignore_index < len(counts):
        counts[ignore_index] = False
    by_hits = torch.where(counts, both / union**2, 0) / counts.sum()
    by_sums = torch.where(counts, -total / union**2, 0) / counts.sum()
    moves = hits.double() @ by_hits + sums.double() @ by_sums  # they sum to zero
    return normal_interval(score, math.sqrt(float(moves.square().sum()) * images / (images - 1)))
