"""glass_blur: the scene behind frosted glass."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.gaussian import gaussian_blur, gaussian_kernel, kernel_radius

__all__ = ["GlassBlur", "GlassBlurDraws", "glass_blur"]

_DOUBLINGS = 6  # follows chains of 64 copies; one is longer once in 10¹⁹ images
_SLACK = 1e-4  # of a grey level: what float32 leaves uncertain


@dataclass(frozen=True)
class GlassBlurDraws(Draws):
    """Where each pixel inside the border copies from, in each pass.

    Args:
        down: Rows down, int64 of shape N×passes×(H - 2·reach)×(W - 2·reach), from -reach to reach - 1; the first is
            that of pixel (reach + 1, reach + 1).
        right: Columns right, likewise.
    """

    down: Tensor
    right: Tensor


class GlassBlur(Corruption[GlassBlurDraws]):
    """Blur, let pixels copy from random ones nearby, blur again.

    The published loop means to swap pixels, but its two sides are views of one array, so each visit is a copy; the
    published images have the copies, and so have ours.

    Source: Hendrycks and Dietterich, ICLR 2019; a level is (sigma, reach of a copy, passes), sigma and reach in
    pixels. Neither grows with the image.

    Example:
        >>> GlassBlur().sample(torch.Size((4, 3, 32, 24)), torch.arange(4), (0.7, 1, 2)).down.shape
        torch.Size([4, 2, 30, 22])
    """

    name = "glass_blur"
    levels: ClassVar = {
        "imagenet": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        "tiny": ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        "cifar": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> GlassBlurDraws:
        """Draw an offset for each pixel and pass."""
        reach, passes = int(level[1]), int(level[2])
        side = 2 * reach
        choice = uniform(seeds, (passes, shape[-2] - side, shape[-1] - side)).mul_(side)
        down = choice.floor().clamp_(max=side - 1)  # a product may round up to the side itself
        right = choice.sub_(down).mul_(side).floor_().clamp_(max=side - 1)  # what is left of a draw is uniform too
        return GlassBlurDraws(down=down.long() - reach, right=right.long() - reach)

    def change(self, images: Tensor, draws: GlassBlurDraws, level: Level) -> Tensor:
        """Blur, copy, blur."""
        return glass_blur(images, draws.down, draws.right, sigma=level[0], reach=int(level[1]))


def glass_blur(images: Tensor, down: Tensor, right: Tensor, *, sigma: float, reach: int) -> Tensor:
    """Blur, apply the passes of copies to the image truncated to 8 bits, and blur again.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        down: Rows down to copy from, int64 of shape N×passes×(H - 2·reach)×(W - 2·reach).
        right: Columns right to copy from, likewise.
        sigma: Of both blurs, in pixels.
        reach: The largest offset, in pixels.

    Returns:
        Float32 N×C×H×W.
    """
    blurred = _truncated(gaussian_blur(images, sigma), sigma).flatten(2)
    origins = _origins(down, right, images.shape[-2:], reach).unsqueeze(1).expand_as(blurred)
    return gaussian_blur(blurred.gather(2, origins).view(images.shape), sigma)


def _truncated(blurred: Tensor, sigma: float) -> Tensor:
    """Cut down to 8 bits as float64 would, where a uniform area may come out just below its grey level."""
    levels = blurred * 255
    nearest = levels.round().clamp_(0, 255)
    kept = _uniform_levels(sigma, blurred.device).index_select(0, nearest.flatten().int()).view_as(nearest)
    return torch.where((levels - nearest).abs_() < _SLACK, kept, levels.floor_()).div_(255)


@cached_tensors(16)
def _uniform_levels(sigma: float, device: torch.device) -> Tensor:
    """The grey level that float64 makes of each of the 256 in a uniform area: the level or one less.

    The order of the sum is that of scipy's ``correlate1d`` for symmetric kernels: middle, then from the outside in.
    """
    weights = gaussian_kernel(sigma, kernel_radius(sigma)).tolist()
    outside_in = weights[: len(weights) // 2]
    value = torch.arange(256, dtype=torch.float64) / 255
    for _ in range(2):
        blurred = value * weights[len(outside_in)]
        for weight in outside_in:
            blurred += (value + value) * weight
        value = blurred
    return (value * 255).floor().to(device, torch.float32)


def _origins(down: Tensor, right: Tensor, size: torch.Size, reach: int) -> Tensor:
    """Return the flat index of the pixel that each one ends up with, int64 of shape N×(H·W).

    A pass visits the pixels from the bottom right, so a copy from a pixel further on in the raster is a copy of what
    that one got in the same pass: a chain, resolved for all pixels at once by pointer doubling.
    """
    height, width = size
    place = torch.arange(height * width, device=down.device)
    total = place.expand(down.shape[0], -1)
    for one in (down * width + right).unbind(1):
        sources = place.expand(down.shape[0], -1).clone()
        sources.view(-1, height, width)[:, reach + 1 : height - reach + 1, reach + 1 : width - reach + 1] += one
        chain = torch.maximum(sources, place)
        if reach > 1:  # with a reach of 1 the offsets are -1 and 0, which only point back
            for _ in range(_DOUBLINGS):
                chain = chain.gather(1, chain)
        total = total.gather(1, sources.gather(1, chain))
    return total
