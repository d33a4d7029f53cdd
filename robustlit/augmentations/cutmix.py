"""CutMix: a box of another image, with its labels or its part of the class mask."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, ranges
from robustlit.augmentations.draws import beta_draws
from robustlit.augmentations.mixing import mix_labels, partners
from robustlit.augmentations.regions import inside_box, integers
from robustlit.core.random import fold, uniform

__all__ = ["CutMix", "CutMixParams", "paste_boxes"]


@dataclass(frozen=True)
class CutMixParams(Params):
    """What was drawn for a batch of N images; boxes are cut at the border, and empty where a sample is not chosen.

    Args:
        chosen: bool of shape N.
        partner: Position of the other image in the batch, int64 of shape N.
        top: First row of the box, int64 of shape N.
        left: First column, likewise.
        bottom: Last row and one.
        right: Last column and one.
        weight: Share of the image that is left, float32 of shape N.
    """

    partner: Tensor
    top: Tensor
    left: Tensor
    bottom: Tensor
    right: Tensor
    weight: Tensor


def paste_boxes(values: Tensor, params: CutMixParams) -> Tensor:
    """Put every sample's box of its partner into it.

    Args:
        values: Images N×C×H×W or class masks N×H×W or N×1×H×W, of any dtype.
        params: What was drawn.

    Returns:
        A new tensor of the same shape and dtype.
    """
    if values.device.type == "cpu":
        result = values.clone()
        borders = (params.partner, params.top, params.left, params.bottom, params.right)
        for target, box in zip(result, torch.stack(borders, 1).tolist(), strict=True):
            partner, top, left, bottom, right = box
            target[..., top:bottom, left:right] = values[partner, ..., top:bottom, left:right]
        return result
    size = (values.shape[-2], values.shape[-1])
    inside = inside_box(params.top, params.left, params.bottom, params.right, size)
    inside = inside if values.ndim == 3 else inside[:, None]
    return torch.where(inside, values.index_select(0, params.partner), values)


class CutMix(AugmentationOp[CutMixParams]):
    """A box of another image of the batch pasted into every image; labels follow the area, class masks are pasted too.

    Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features" (ICCV 2019): the
    share that is left is Beta(alpha, alpha), the box has the image's proportions, and its centre is uniform; it is cut
    at the border, and the labels' weights follow what is left of it. For classes the labels become soft, which the
    module's step has to understand; class masks stay hard.

    Args:
        alpha: Parameter of the beta distribution, above 0.
        p: Probability that an image is changed.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> CutMix()(torch.rand(2, 3, 8, 8), seed=0).shape
        torch.Size([2, 3, 8, 8])
    """

    needs_partners = True
    changes_targets = True
    schedulable = ranges(alpha=(1e-3, math.inf))

    def __init__(self, alpha: float = 1.0, p: float = 1.0) -> None:
        super().__init__(p)
        if alpha <= 0:
            raise ValueError(f"expected alpha above 0, got {alpha}; try 1.0")
        self.alpha = alpha

    def sample(self, shape: torch.Size, seeds: Tensor) -> CutMixParams:
        """Draw a partner and a box for every image of a batch N×C×H×W."""
        draws = uniform(fold(seeds, "box"), (3,))
        chosen = self.choose(seeds)
        ratio = (1 - beta_draws(fold(seeds, "share"), self.alpha)).sqrt().masked_fill(~chosen, 0)
        borders = []
        for draw, length in ((draws[:, 1], shape[-2]), (draws[:, 2], shape[-1])):
            side, centre = (ratio * length).long(), integers(draw, length)
            start = centre - side // 2
            borders += [start.clamp(min=0), (start + side).clamp(max=length)]
        top, bottom, left, right = borders
        area = ((bottom - top) * (right - left)).float() / (shape[-2] * shape[-1])
        return CutMixParams(chosen, partners(draws[:, 0]), top, left, bottom, right, 1 - area)

    def change(self, images: Tensor, params: CutMixParams) -> Tensor:
        """Paste drawn boxes."""
        return paste_boxes(images, params)

    def change_targets(self, targets: Tensor, params: CutMixParams, num_classes: int) -> Tensor:
        """Return soft labels N×K, or class masks with the boxes pasted."""
        if targets.ndim > 2:
            return paste_boxes(targets, params)
        return mix_labels(targets, params.partner, params.weight, num_classes)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"alpha={self.alpha}, p={self.p}"
