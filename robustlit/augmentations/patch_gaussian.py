"""PatchGaussian: Gaussian noise inside a random square patch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.core.random import fold, normal, uniform

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
        noise: Standard normal noise, float32 N×C×S×T with S and T the largest side that fits the image; its first row
            and column belong to the first of the patch inside the image.
    """

    top: Tensor
    left: Tensor
    side: Tensor
    sigma: Tensor
    noise: Tensor


def patch_gaussian(images: Tensor, params: PatchGaussianParams) -> Tensor:
    """Add noise, clip to [0, 1], and keep the result inside each image's patch.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        params: One patch and one noise field an image.

    Returns:
        Float32 N×C×H×W; pixels outside the patches are unchanged bit for bit.
    """
    height, width = images.shape[2:]
    noise = _placed(params.noise, params.top, params.left, height, width)
    noisy = noise.mul_(params.sigma[:, None, None, None]).add_(images).clamp_(0, 1)
    rows = _inside(height, params.top, params.side)
    columns = _inside(width, params.left, params.side)
    patch = rows[:, None, :, None] & columns[:, None, None, :] & params.chosen[:, None, None, None]
    return torch.where(patch, noisy, images)


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

    def __init__(
        self, patch_size: int = 25, max_sigma: float = 1.0, p: float = 1.0, *, sample_up_to: bool = False
    ) -> None:
        super().__init__(p)
        if patch_size < 1:
            raise ValueError(f"expected patch_size of at least 1 pixel, got {patch_size}; try 25")
        if max_sigma < 0:
            raise ValueError(f"expected max_sigma of at least 0, got {max_sigma}; try 1.0")
        self.patch_size = patch_size
        self.max_sigma = max_sigma
        self.sample_up_to = sample_up_to

    @classmethod
    def cifar(cls) -> "PatchGaussian":
        """Return the paper's setting for 32-pixel images."""
        return cls(patch_size=25, max_sigma=1.0)

    @classmethod
    def imagenet(cls) -> "PatchGaussian":
        """Return the paper's setting for 224-pixel images."""
        return cls(patch_size=250, max_sigma=1.0, sample_up_to=True)

    def sample(self, shape: torch.Size, seeds: Tensor) -> PatchGaussianParams:
        """Draw a patch, a sigma and a noise field for every image of a batch N×C×H×W."""
        _, channels, height, width = shape
        side = torch.full_like(seeds, self.patch_size)
        if self.sample_up_to:
            side = _integers(fold(seeds, "side"), self.patch_size) + 1
        return PatchGaussianParams(
            chosen=self.choose(seeds),
            top=_integers(fold(seeds, "row"), height) - side // 2,
            left=_integers(fold(seeds, "column"), width) - side // 2,
            side=side,
            sigma=uniform(fold(seeds, "sigma")) * self.max_sigma,
            noise=normal(fold(seeds, "noise"), (channels, min(self.patch_size, height), min(self.patch_size, width))),
        )

    def change(self, images: Tensor, params: PatchGaussianParams) -> Tensor:
        """Put drawn patches of noise into images."""
        return patch_gaussian(images, params)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        up_to = ", sample_up_to=True" if self.sample_up_to else ""
        return f"patch_size={self.patch_size}, max_sigma={self.max_sigma}, p={self.p}{up_to}"


def _placed(noise: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Return N×C×height×width noise whose values inside each patch are those of ``noise``; the rest is arbitrary."""
    count, channels, side, other = noise.shape
    row = _offset(height, top, side)
    column = _offset(width, left, other)
    position = (row[:, :, None] * other + column[:, None, :]).view(count, 1, height * width)
    return noise.flatten(2).gather(2, position.expand(-1, channels, -1)).view(count, channels, height, width)


def _offset(length: int, start: Tensor, side: int) -> Tensor:
    """Return int64 N×length: how far each position lies behind the first of the patch, kept within the noise."""
    position = torch.arange(length, device=start.device)[None]
    return (position - start.clamp(min=0)[:, None]).clamp_(0, side - 1)


def _inside(length: int, start: Tensor, side: Tensor) -> Tensor:
    """Return bool N×length: which positions lie in start … start + side - 1."""
    position = torch.arange(length, device=start.device)[None]
    return (position >= start[:, None]) & (position < (start + side)[:, None])


def _integers(seeds: Tensor, count: int) -> Tensor:
    """Draw one integer of 0 … count-1 a sample, int64 of shape N."""
    return (uniform(seeds) * count).to(torch.int64).clamp_(max=count - 1)
