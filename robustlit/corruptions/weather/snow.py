"""Snow: enlarged and motion-blurred flakes over a whitened image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.random import fold, normal, uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.clipped_zoom import clipped_zoom, zoomed_part
from robustlit.corruptions.ops.motion import motion_blur
from robustlit.corruptions.pixels import truncate

__all__ = ["Snow", "SnowDraws", "snow", "snow_layer"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_STEEPEST, _FLATTEST = -135.0, -45.0  # degrees between which the flakes fall


@dataclass(frozen=True)
class SnowDraws(Draws):
    """Where flakes are and how they fall.

    Args:
        noise: N×h×w standard normal, the part of the image that the flakes are enlarged from.
        angles: N, degrees.
    """

    noise: Tensor
    angles: Tensor


class Snow(Corruption[SnowDraws]):
    """Snow of ImageNet-C (Hendrycks and Dietterich 2019, section 4).

    Levels are mean and standard deviation of the flakes' noise, the zoom of the flakes, the threshold below which
    there is none, radius and standard deviation of their motion blur in pixels, and the share of the image that is
    not whitened. The zoom is a factor and the blur is in pixels, whatever the size of the image.

    Example:
        >>> Snow().level("cifar", 1)
        (0.1, 0.2, 1.0, 0.6, 8.0, 3.0, 0.95)
    """

    name = "snow"
    levels: ClassVar = {
        "imagenet": (
            (0.1, 0.3, 3.0, 0.5, 10.0, 4.0, 0.8),
            (0.2, 0.3, 2.0, 0.5, 12.0, 4.0, 0.7),
            (0.55, 0.3, 4.0, 0.9, 12.0, 8.0, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12.0, 8.0, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12.0, 12.0, 0.55),
        ),
        "tiny": (
            (0.1, 0.2, 1.0, 0.6, 8.0, 3.0, 0.8),
            (0.1, 0.2, 1.0, 0.5, 10.0, 4.0, 0.8),
            (0.15, 0.3, 1.75, 0.55, 10.0, 4.0, 0.7),
            (0.25, 0.3, 2.25, 0.6, 12.0, 6.0, 0.65),
            (0.3, 0.3, 1.25, 0.65, 14.0, 12.0, 0.6),
        ),
        "cifar": (
            (0.1, 0.2, 1.0, 0.6, 8.0, 3.0, 0.95),
            (0.1, 0.2, 1.0, 0.5, 10.0, 4.0, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10.0, 4.0, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12.0, 6.0, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14.0, 12.0, 0.8),
        ),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> SnowDraws:
        """Draw the part of the noise that is enlarged, and the direction."""
        sides = [part.stop - part.start for part in (zoomed_part(length, level[2]) for length in shape[-2:])]
        noise = normal(fold(seeds, "flakes"), sides)
        angles = uniform(fold(seeds, "angle")) * (_FLATTEST - _STEEPEST) + _STEEPEST
        return SnowDraws(noise, angles)

    def change(self, images: Tensor, draws: SnowDraws, level: Level) -> Tensor:
        """Let it snow."""
        mean, deviation, zoom, threshold, radius, sigma, share = level
        flakes = clipped_zoom(draws.noise * deviation + mean, images.shape[-2], images.shape[-1], zoom)
        return snow(images, snow_layer(flakes, threshold, radius, sigma, draws.angles), share)


def snow_layer(flakes: Tensor, threshold: float, radius: float, sigma: float, angles: Tensor) -> Tensor:
    """Return falling snow N×H×W in [0, 1]: what lies above the threshold, at 8 bits, blurred along the angles."""
    seen = F.threshold(flakes, threshold, 0).clamp_(0, 1)
    return motion_blur(truncate(seen[:, None]), radius, sigma, angles)[:, 0]


def snow(images: Tensor, layer: Tensor, share: float) -> Tensor:
    """Whiten images N×C×H×W and add the snow N×H×W and the same snow turned by half a circle.

    Args:
        images: Float in [0, 1] of one or three channels.
        layer: Float in [0, 1].
        share: Of the image that is kept; the rest is the brighter of the image and 1.5 · grey + 0.5.
    """
    white = _luma(images).mul(1.5).add_(0.5)[:, None]
    falling = (layer + layer.flip((1, 2)))[:, None]
    return torch.maximum(images, white).mul_(1 - share).add_(images, alpha=share).add_(falling)


def _luma(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images[:, 0]
    red, green, blue = images.unbind(1)
    return torch.mul(red, _LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2])
