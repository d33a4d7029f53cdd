"""PatchGaussian: Gaussian noise inside a random square patch."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, ranges
from robustlit.augmentations.noise_field import normal_field, normal_window
from robustlit.augmentations.regions import SquarePatch, inside_patch
from robustlit.core.random import fold, uniform

__all__ = ["PatchGaussian", "PatchGaussianParams", "patch_gaussian"]


@dataclass(frozen=True)
class PatchGaussianParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        top: First row of the patch, int64 of shape N; negative where the border cuts it.
        left: First column, likewise.
        side: Side of the patch in pixels, int64 of shape N.
        sigma: Standard deviation of the noise, float32 of shape N, in units of the pixel range.
        noise: Seed of the noise, int64 of shape N; ``normal_field`` draws it.
    """

    top: Tensor
    left: Tensor
    side: Tensor
    sigma: Tensor
    noise: Tensor


def patch_gaussian(images: Tensor, params: PatchGaussianParams) -> Tensor:
    """Add noise, clip to [0, 1], and keep the result inside each image's patch.

    On CPU nothing but the patch's noise is drawn; elsewhere all of it is, in one go.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        params: One patch and one noise field an image.

    Returns:
        Float32 N×C×H×W; pixels outside the patches are unchanged bit for bit.
    """
    if images.device.type == "cpu":
        return _by_patches(images, params)
    noise = normal_field(params.noise, images.shape[1:])
    noisy = noise.mul_(params.sigma[:, None, None, None]).add_(images).clamp_(0, 1)
    height, width = images.shape[2:]
    patch = inside_patch(params.top, params.left, params.side, (height, width)) & params.chosen[:, None, None]
    return torch.where(patch[:, None], noisy, images)


def _by_patches(images: Tensor, params: PatchGaussianParams) -> Tensor:
    result = images.clone()
    height, width = images.shape[2:]
    places = torch.stack((params.top, params.left, params.side), 1).tolist()
    sigmas, seeds = params.sigma.tolist(), params.noise.tolist()
    for i in params.chosen.nonzero()[:, 0].tolist():
        top, left, side = places[i]
        rows = slice(max(top, 0), min(top + side, height))
        columns = slice(max(left, 0), min(left + side, width))
        noise = normal_window(seeds[i], images.shape[1:], rows, columns)
        patch = result[i, :, rows, columns]
        patch.add_(noise, alpha=sigmas[i]).clamp_(0, 1)
    return result


class PatchGaussian(AugmentationOp[PatchGaussianParams]):
    """Gaussian noise in a random square patch, cut at the image's border: robustness of noise, accuracy of Cutout.

    Lopes et al., "Improving Robustness Without Sacrificing Accuracy with Patch Gaussian Augmentation" (2019,
    arXiv 1906.02611). The patch's centre is uniform over the pixels, sigma is uniform in [0, max_sigma], and the noisy
    image is clipped before the patch is taken from it. The paper's settings are 25 and 1.0 for CIFAR, a side drawn up
    to 250 and 1.0 for ImageNet: ``PatchGaussian.cifar()`` and ``PatchGaussian.imagenet()``.

    Args:
        patch_size: Side of the patch in pixels; the largest side where ``sample_up_to`` is set.
        max_sigma: Largest standard deviation of the noise, in units of the pixel range [0, 1].
        p: Probability that an image is changed.
        sample_up_to: Whether the side is drawn uniformly from 1 … ``patch_size`` for every image.

    Raises:
        ValueError: If the patch is smaller than one pixel, or a number is out of its range.

    Example:
        >>> images = torch.full((2, 3, 32, 32), 0.5)
        >>> noisy = PatchGaussian(patch_size=8, max_sigma=1.0)(images, seed=0)
        >>> noisy.shape, bool((noisy != images).any(1).flatten(1).sum(1).le(64).all())
        (torch.Size([2, 3, 32, 32]), True)
    """

    resembles = ("gaussian_noise",)
    schedulable = ranges(max_sigma=(0.0, math.inf), patch_size=(1, math.inf))

    def __init__(
        self, patch_size: int = 25, max_sigma: float = 1.0, p: float = 1.0, *, sample_up_to: bool = False
    ) -> None:
        super().__init__(p)
        if max_sigma < 0:
            raise ValueError(f"expected max_sigma of at least 0, got {max_sigma}; try 1.0")
        self.patch_size = SquarePatch(patch_size).size
        self.sample_up_to = sample_up_to
        self.max_sigma = max_sigma

    @classmethod
    def cifar(cls) -> "PatchGaussian":
        """Return the paper's setting for 32-pixel images."""
        return cls(patch_size=25, max_sigma=1.0)

    @classmethod
    def imagenet(cls) -> "PatchGaussian":
        """Return the paper's setting for 224-pixel images."""
        return cls(patch_size=250, max_sigma=1.0, sample_up_to=True)

    def sample(self, shape: torch.Size, seeds: Tensor) -> PatchGaussianParams:
        """Draw a patch, a sigma and the noise's seed for every image of a batch N×C×H×W."""
        draws = uniform(fold(seeds, "patch_gaussian"), (5,))  # all at once, which is quicker than one by one
        patch = SquarePatch(self.patch_size, sample_up_to=self.sample_up_to).place(shape, draws[:, :3])
        return PatchGaussianParams(
            chosen=draws[:, 3] < self.p,
            top=patch.top,
            left=patch.left,
            side=patch.side,
            sigma=draws[:, 4] * self.max_sigma,
            noise=fold(seeds, "noise"),
        )

    def change(self, images: Tensor, params: PatchGaussianParams) -> Tensor:
        """Put drawn patches of noise into images."""
        return patch_gaussian(images, params)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        up_to = ", sample_up_to=True" if self.sample_up_to else ""
        return f"patch_size={self.patch_size}, max_sigma={self.max_sigma}, p={self.p}{up_to}"
