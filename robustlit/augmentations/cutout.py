"""Cutout: one colour inside a random square patch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, ranges
from robustlit.augmentations.regions import SquarePatch, inside_patch
from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, uniform

__all__ = ["Cutout", "CutoutParams", "cutout"]


@dataclass(frozen=True)
class CutoutParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        top: First row of the patch, int64 of shape N; negative where the border cuts it.
        left: First column, likewise.
        side: Side of the patch in pixels, int64 of shape N.
    """

    top: Tensor
    left: Tensor
    side: Tensor


def cutout(images: Tensor, params: CutoutParams, fill: Tensor) -> Tensor:
    """Fill each image's patch.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        params: One patch an image.
        fill: Colour, of shape C or 1.

    Returns:
        Float32 N×C×H×W; pixels outside the patches are unchanged bit for bit.
    """
    height, width = images.shape[2:]
    patch = inside_patch(params.top, params.left, params.side, (height, width)) & params.chosen[:, None, None]
    return torch.lerp(images, fill[:, None, None], patch[:, None].to(images.dtype))  # exact at 0 and at 1


class Cutout(AugmentationOp[CutoutParams]):
    """One colour in a random square patch, cut at the image's border.

    DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017, arXiv 1708.04552):
    16 pixels on CIFAR-10, 8 on CIFAR-100, black after normalisation, which is the data set's mean colour in pixels.

    Args:
        patch_size: Side of the patch in pixels; the largest side where ``sample_up_to`` is set.
        fill: Grey level in [0, 1], or one level a channel.
        p: Probability that an image is changed.
        sample_up_to: Whether the side is drawn uniformly from 1 … ``patch_size`` for every image.

    Raises:
        ValueError: If the patch is smaller than one pixel, or a number is out of its range.

    Example:
        >>> int((Cutout(patch_size=4)(torch.ones(2, 1, 32, 32)) == 0).sum()) <= 2 * 16
        True
    """

    resembles = ("checkerboard_cutout",)
    schedulable = ranges(patch_size=(1, math.inf))

    def __init__(
        self,
        patch_size: int = 16,
        fill: float | Sequence[float] = 0.0,
        p: float = 1.0,
        *,
        sample_up_to: bool = False,
    ) -> None:
        super().__init__(p)
        self.fill = (float(fill),) if isinstance(fill, (int, float)) else tuple(fill)
        if not all(0 <= level <= 1 for level in self.fill):
            raise ValueError(f"expected fill in [0, 1], got {fill}; try 0.5")
        self.patch_size = SquarePatch(patch_size).size
        self.sample_up_to = sample_up_to

    def sample(self, shape: torch.Size, seeds: Tensor) -> CutoutParams:
        """Draw a patch for every image of a batch N×C×H×W."""
        if len(self.fill) not in (1, shape[1]):
            raise ValueError(f"expected fill of 1 or {shape[1]} levels, got {len(self.fill)}; try fill=0.5")
        draws = uniform(fold(seeds, "cutout"), (4,))
        patch = SquarePatch(self.patch_size, sample_up_to=self.sample_up_to).place(shape, draws[:, :3])
        return CutoutParams(draws[:, 3] < self.p, patch.top, patch.left, patch.side)

    def change(self, images: Tensor, params: CutoutParams) -> Tensor:
        """Fill drawn patches of images."""
        return cutout(images, params, _fill(self.fill, images.device))

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        up_to = ", sample_up_to=True" if self.sample_up_to else ""
        return f"patch_size={self.patch_size}, fill={self.fill}, p={self.p}{up_to}"


@cached_tensors(8)
def _fill(levels: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor(levels, device=device)
