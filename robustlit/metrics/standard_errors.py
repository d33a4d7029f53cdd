"""How far a score on these images lies from that on all images, out of sums that do not grow with the data."""

import math

import torch
from torch import Tensor

from robustlit.metrics.auroc import areas
from robustlit.metrics.confusion import class_iou

__all__ = ["Z95", "auroc_error", "image_products", "mean_overlap_error", "normal_interval"]

Z95 = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


def normal_interval(score: float, error: float) -> tuple[float, float]:
    """Return the 95 % interval of a score with a standard error, cut at 0 and 1; all of it where the error is NaN."""
    if math.isnan(error):
        return 0.0, 1.0
    return max(0.0, score - Z95 * error), min(1.0, score + Z95 * error)


def auroc_error(counts: Tensor) -> Tensor:
    """Return the standard error of the area under the curve of every label (DeLong et al., Biometrics 1988).

    Args:
        counts: int64 …×2×K×bins, false labels first, as :func:`robustlit.metrics.auroc.score_counts` gives them.

    Returns:
        float64 …×K; NaN without a curve.
    """
    falses, trues = counts.double().unbind(-3)
    negatives, positives = falses.sum(-1, keepdim=True), trues.sum(-1, keepdim=True)
    below = (falses.cumsum(-1) - falses / 2) / negatives  # share of the false ones that score lower, ties by half
    above = (trues.sum(-1, keepdim=True) - trues.cumsum(-1) + trues / 2) / positives
    area = areas(counts).double()[..., None]
    of_trues = (trues * (below - area) ** 2).sum(-1) / (positives[..., 0] - 1) / positives[..., 0]
    of_falses = (falses * (above - area) ** 2).sum(-1) / (negatives[..., 0] - 1) / negatives[..., 0]
    return (of_trues + of_falses).sqrt()


def image_products(confusions: Tensor) -> Tensor:
    """Return what :func:`mean_overlap_error` needs of a batch: the sum over images of the products of their counts.

    Args:
        confusions: int64 N×K×K, one confusion matrix an image.

    Returns:
        int64 2K×2K. The counts of an image are its K intersections, then its K sums of true and predicted pixels.
    """
    hits = confusions.diagonal(dim1=-2, dim2=-1)
    counts = torch.cat((hits, confusions.sum(-1) + confusions.sum(-2)), 1)
    return (counts[:, :, None] * counts[:, None, :]).sum(0)


def mean_overlap_error(
    confusion: Tensor, products: Tensor, images: int, ignore_index: int | None = None, *, dice: bool = False
) -> float:
    """Return the standard error of mean IoU or mean Dice over the drawing of images.

    Both are smooth functions of sums over images, so their variance follows from the second moments of what each image
    adds (delta method). Pixels of one image are alike, so the images are the sample and not the pixels.

    Args:
        confusion: K×K counts of the data set.
        products: 2K×2K, the sum of :func:`image_products`.
        images: Number of images.
        ignore_index: A class that is not scored.
        dice: Whether the score is Dice.

    Returns:
        NaN with fewer than two images.
    """
    if images < 2:
        return math.nan
    counts = confusion.double()
    hits, both = counts.diagonal(), counts.sum(0) + counts.sum(1)
    union = both - hits
    iou = class_iou(counts, ignore_index).double()
    slope = torch.cat((both / union**2, -hits / union**2))  # of each class's IoU, by its hits and by its sum
    if dice:
        slope = slope * (2 / (1 + iou) ** 2).repeat(2)
    slope = (slope / iou.isfinite().sum()).where(iou.isfinite().repeat(2), 0)
    variance = float((slope @ products.double() * slope).sum())  # the slopes times the sums vanish: nothing to centre
    return math.sqrt(max(0.0, variance) * images / (images - 1))
