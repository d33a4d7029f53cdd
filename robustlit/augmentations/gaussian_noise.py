"""Gaussian noise over the whole image, or over a region of it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, at, change_chosen, ranges
from robustlit.augmentations.noise_field import normal_field
from robustlit.augmentations.regions import FullImage, Region, RegionParams
from robustlit.core.random import fold, uniform

__all__ = ["GaussianNoise", "GaussianNoiseParams", "gaussian_noise"]


@dataclass(frozen=True)
class GaussianNoiseParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        sigma: Standard deviation of every cell of the region, float32 N×K, in units of the pixel range.
        noise: Seed of the noise, int64 of shape N; ``normal_field`` draws it.
        region: What the region drew.
    """

    sigma: Tensor
    noise: Tensor
    region: RegionParams


def gaussian_noise(images: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """Add noise and clip to [0, 1].

    Args:
        images: Float32 N×C×H×W in [0, 1].
        noise: Standard normal, of the same shape; it is overwritten.
        sigma: Standard deviation, broadcastable to N×C×H×W.

    Returns:
        Float32 N×C×H×W.
    """
    return noise.mul_(sigma).add_(images).clamp_(0, 1)


class GaussianNoise(AugmentationOp[GaussianNoiseParams]):
    """Gaussian noise on a share of the images, clipped to [0, 1].

    Rusak et al., "A simple way to make neural networks robust against diverse image corruptions" (ECCV 2020): one sigma
    of 0.5 on half of every batch. With ``sample_up_to`` it is PatchGaussian's limit of a patch as large as the image.

    Args:
        sigma: Standard deviation in units of the pixel range; the largest one where ``sample_up_to`` is set.
        p: Probability that an image is changed.
        sample_up_to: Whether sigma is drawn uniformly from [0, ``sigma``] for every image, and every cell of a region.
        region: Where the noise is; the whole image unless given.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> images = torch.full((4, 3, 8, 8), 0.5)
        >>> bool((GaussianNoise(sigma=0.1, p=1.0)(images, seed=0) != images).float().mean() > 0.99)
        True
    """

    resembles = ("gaussian_noise",)
    schedulable = ranges(sigma=(0.0, math.inf))

    def __init__(
        self,
        sigma: float = 0.5,
        p: float = 0.5,
        *,
        sample_up_to: bool = False,
        region: Region[Any] | None = None,
    ) -> None:
        super().__init__(p)
        if sigma < 0:
            raise ValueError(f"expected sigma of at least 0, got {sigma}; try 0.5")
        self.sigma = sigma
        self.sample_up_to = sample_up_to
        self.region = region or FullImage()
        self.needs_masks = self.region.needs_masks

    def sample(self, shape: torch.Size, seeds: Tensor) -> GaussianNoiseParams:
        """Draw sigmas, the noise's seed and a region for every image of a batch N×C×H×W."""
        draws = uniform(fold(seeds, "sigma"), (self.region.count,)) if self.sample_up_to else None
        ones = torch.ones(shape[0], self.region.count, device=seeds.device)
        return GaussianNoiseParams(
            chosen=self.choose(seeds),
            sigma=(ones if draws is None else draws) * self.sigma,
            noise=fold(seeds, "noise"),
            region=self.region.sample(shape, fold(seeds, "region")),
        )

    def change(self, images: Tensor, params: GaussianNoiseParams, masks: Tensor | None = None) -> Tensor:
        """Add drawn noise to images."""
        sigma = params.sigma[:, :, None]  # N×1×1, or a map of the cells
        if not isinstance(self.region, FullImage):
            cells = self.region.cells(params.region, (images.shape[2], images.shape[3]), masks)
            outside = params.sigma.new_zeros(len(images), 1)
            sigma = torch.cat((outside, params.sigma), 1).gather(1, cells.flatten(1) + 1).view(cells.shape)

        def noisy(positions: Tensor) -> Tensor:
            noise = normal_field(params.noise[positions], images.shape[1:])
            return gaussian_noise(at(images, positions), noise, at(sigma, positions)[:, None])

        return change_chosen(images, params.chosen, noisy)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        up_to = ", sample_up_to=True" if self.sample_up_to else ""
        return f"sigma={self.sigma}, p={self.p}{up_to}, region={self.region}"
