"""Spatter: drops of water or mud on the lens."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.cached import cached_tensors
from robustlit.core.random import normal
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.canny import canny
from robustlit.corruptions.ops.distance import chamfer_distance
from robustlit.corruptions.ops.gaussian import gaussian_blur

__all__ = ["Spatter", "SpatterDraws", "mud", "mud_cover", "water", "water_relief"]

_WATER = (175 / 255, 238 / 255, 238 / 255)  # pale turquoise
_MUD = (63 / 255, 42 / 255, 20 / 255)
_SHADE = ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))  # light that comes from the lower right
_REACH = 20  # pixels from a drop's rim up to which the water's relief changes


@dataclass(frozen=True)
class SpatterDraws(Draws):
    """Where drops are.

    Args:
        noise: N×H×W standard normal.
    """

    noise: Tensor


class Spatter(Corruption[SpatterDraws]):
    """Spatter of ImageNet-C, water at severities 1 to 3 and mud at 4 and 5 (Hendrycks and Dietterich 2019).

    Levels are mean and standard deviation of the drops' noise, the standard deviation of its blur in pixels, the
    threshold above which there is liquid, the water's brightness or the standard deviation of the mud's blur in
    pixels, and 1 for mud. Lengths are pixels whatever the size of the image.

    Example:
        >>> Spatter().level("cifar", 4)
        (0.65, 0.1, 0.7, 0.69, 0.6, 1.0)
    """

    name = "spatter"
    needs_color = True
    levels: ClassVar = {
        "imagenet": (
            (0.65, 0.3, 4.0, 0.69, 0.6, 0.0),
            (0.65, 0.3, 3.0, 0.68, 0.6, 0.0),
            (0.65, 0.3, 2.0, 0.68, 0.5, 0.0),
            (0.65, 0.3, 1.0, 0.65, 1.5, 1.0),
            (0.67, 0.4, 1.0, 0.65, 1.5, 1.0),
        ),
        "tiny": (
            (0.62, 0.1, 0.7, 0.7, 0.6, 0.0),
            (0.65, 0.1, 0.8, 0.7, 0.6, 0.0),
            (0.65, 0.3, 1.0, 0.69, 0.6, 0.0),
            (0.65, 0.1, 0.7, 0.68, 0.6, 1.0),
            (0.65, 0.1, 0.5, 0.67, 0.6, 1.0),
        ),
        "cifar": (
            (0.62, 0.1, 0.7, 0.7, 0.5, 0.0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0.0),
            (0.65, 0.3, 1.0, 0.69, 0.5, 0.0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1.0),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1.0),
        ),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> SpatterDraws:
        """Draw noise, one number a pixel."""
        return SpatterDraws(normal(seeds, shape[-2:]))

    def change(self, images: Tensor, draws: SpatterDraws, level: Level) -> Tensor:
        """Spatter the images."""
        mean, deviation, sigma, threshold, amount, is_mud = level
        liquid = gaussian_blur((draws.noise * deviation + mean)[:, None], sigma)[:, 0]
        if is_mud:
            return mud(images, mud_cover(liquid > threshold, amount))
        return water(images, water_relief(F.threshold(liquid, threshold, 0)), amount)


def mud_cover(drops: Tensor, sigma: float) -> Tensor:
    """Return how much of each pixel mud covers, N×H×W: blurred drops, without what is left below 0.8."""
    cover = gaussian_blur(drops.float()[:, None], sigma)[:, 0]
    return F.threshold(cover, 0.8, 0)


def mud(images: Tensor, cover: Tensor) -> Tensor:
    """Cover images N×3×H×W with brown mud, as much as ``cover`` N×H×W in [0, 1] says."""
    return torch.lerp(images, _planes(_MUD, images.device), cover[:, None])


def water_relief(liquid: Tensor) -> Tensor:
    """Return how bright water glistens, N×H×W in [0, 1] with 1 in every image that has any.

    Args:
        liquid: N×H×W ≥ 0, 0 where there is none; its grey levels are kept in 8 bits, which wrap beyond 1.
    """
    levels = (liquid * 255).floor_().remainder_(256)
    distance = chamfer_distance(canny(levels, 50, 150), _REACH)
    depth = _equalized(_box(distance).floor_(), _REACH + 1)
    shaded = _shaded(depth).clamp_(0, 255)
    bright = levels * _box(shaded).round_()
    return bright / bright.flatten(1).amax(1).clamp_(min=1)[:, None, None]


def water(images: Tensor, relief: Tensor, amount: float) -> Tensor:
    """Add pale water to images N×3×H×W, by its relief N×H×W and a factor; the sum may exceed 1."""
    tint = _planes(_WATER, images.device) * amount
    return torch.addcmul(images, relief[:, None], tint)


@cached_tensors(4)
def _planes(color: tuple[float, float, float], device: torch.device) -> Tensor:
    """A colour as float32 1×3×1×1; kept, so that a GPU waits for it once only."""
    return torch.tensor(color, device=device).view(1, 3, 1, 1)


def _equalized(levels: Tensor, count: int) -> Tensor:
    """Spread whole levels N×H×W below ``count`` over 0 to 255, as OpenCV's ``equalizeHist`` does."""
    flat = levels.flatten(1).long()
    totals = flat.new_zeros(flat.shape[0], count).scatter_add_(1, flat, torch.ones_like(flat))
    lowest = totals.bool().byte().argmax(1, keepdim=True)
    first = totals.gather(1, lowest)
    total = flat.shape[1]
    scale = 255 / (total - first).clamp(min=1).float()
    table = ((totals.cumsum(1) - first).clamp(min=0).float() * scale).round_()
    table = torch.where(first == total, lowest.float(), table)
    return table.gather(1, flat).view_as(levels)


def _box(planes: Tensor) -> Tensor:
    """Mean of 3×3 pixels, mirrored at the edges without repeating the last pixel."""
    padded = F.pad(planes[:, None], (1, 1, 1, 1), mode="reflect")[:, 0]
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]).div_(9)


def _shaded(planes: Tensor) -> Tensor:
    """Correlate with the shading kernel, edges as in ``_box``."""
    height, width = planes.shape[-2:]
    padded = F.pad(planes[:, None], (1, 1, 1, 1), mode="reflect")[:, 0]
    total = torch.zeros_like(planes)
    for row, weights in enumerate(_SHADE):
        for column, weight in enumerate(weights):
            if weight:
                total.add_(padded[:, row : row + height, column : column + width], alpha=weight)
    return total
