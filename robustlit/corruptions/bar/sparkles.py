"""``sparkles``: five white sparkles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, uniform
from robustlit.corruptions.bar.coordinates import coordinates, to_pixels
from robustlit.corruptions.bar.rays import MOST_RAYS, ray_counts, sparkle
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["Sparkles", "SparklesDraws", "sparkles"]

_NUMBER = 5
_LENGTH = 0.01  # of the shorter side, a unit of the published number
_SPREAD = 0.25


def sparkles(images: Tensor, centres: Tensor, counts: Tensor, spread: Tensor, length: float) -> Tensor:
    """Blend towards white along the rays of several sparkles.

    Args:
        images: N×C×H×W in [0, 1].
        centres: N×K×2, row and column in pixels.
        counts: N×K, int64: rays of each sparkle.
        spread: N×K×199 standard normal numbers, one a ray.
        length: Mean length of a ray in pixels; its standard deviation is a quarter of it, the shortest ray one pixel.
    """
    rows, columns = coordinates(images)
    lengths = (length * (1 + _SPREAD * spread)).clamp_min(1)
    dark: Tensor | float = 1.0  # what is left of the way to white, after all sparkles
    for number in range(centres.shape[1]):
        between, light = sparkle(rows, columns, centres[:, number], counts[:, number], lengths[:, number])
        dark = (1 - between.mul_(light)).clamp_min_(0).mul_(dark)
    return 1 - (1 - images) * torch.as_tensor(dark).unsqueeze(1)


@dataclass(frozen=True)
class SparklesDraws(Draws):
    """The sparkles.

    Args:
        centres: N×5×2, row and column in pixels.
        counts: N×5, int64, rays of each.
        spread: N×5×199 standard normal numbers.
    """

    centres: Tensor
    counts: Tensor
    spread: Tensor


class Sparkles(Corruption[SparklesDraws]):
    """Five white sparkles of 50 to 199 rays of random lengths.

    Source: Mintun et al. 2021. A level is the source's own number; the mean length of the rays is a hundredth of the
    shorter side times it. The centres are anywhere in the image.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "sparkles", 1).min() >= 127 / 255
        tensor(True)
    """

    name = "sparkles"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {
        "imagenet": ((1.0,), (2.0,), (3.0,), (5.0,), (6.0,)),
        "cifar": ((0.7,), (3.5,), (5.6,), (6.3,), (7.0,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> SparklesDraws:
        """Draw where they are, how many rays they have, and how long those are."""
        return SparklesDraws(
            to_pixels(uniform(fold(seeds, "centres"), (_NUMBER, 2)), shape[-2], shape[-1]),
            ray_counts(uniform(fold(seeds, "counts"), (_NUMBER,))),
            normal(fold(seeds, "lengths"), (_NUMBER, MOST_RAYS)),
        )

    def change(self, images: Tensor, draws: SparklesDraws, level: Level) -> Tensor:
        """Blend the sparkles in."""
        length = _LENGTH * level[0] * min(images.shape[-2:])
        return sparkles(images, draws.centres, draws.counts, draws.spread, length)
