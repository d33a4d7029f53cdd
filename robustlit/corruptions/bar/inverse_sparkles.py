"""``inverse_sparkles``: all but one sparkle goes white."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, uniform
from robustlit.corruptions.bar.coordinates import coordinates, to_pixels
from robustlit.corruptions.bar.rays import MOST_RAYS, ray_counts, sparkle
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["InverseSparkles", "InverseSparklesDraws", "inverse_sparkles"]

_EXPONENT = 0.13  # a unit of the published number
_LENGTH = 0.25  # of the shorter side
_SPREAD = 0.25


def inverse_sparkles(images: Tensor, centre: Tensor, counts: Tensor, spread: Tensor, exponent: float) -> Tensor:
    """Blend towards white outside one sparkle.

    Args:
        images: N×C×H×W in [0, 1].
        centre: N×2, row and column in pixels.
        counts: N, int64: rays.
        spread: N×199 standard normal numbers, one a ray.
        exponent: How fast the image fades with the distance.
    """
    rows, columns = coordinates(images)
    lengths = _LENGTH * min(images.shape[-2:]) * (1 + _SPREAD * spread)
    between, light = sparkle(rows, columns, centre, counts, lengths)
    # not pow, whose last digit depends on where a number lies in memory
    kept = light.log_().mul_(exponent).exp_().mul_(between).clamp_(0, 1)
    return 1 - (1 - images) * kept.unsqueeze(1)


@dataclass(frozen=True)
class InverseSparklesDraws(Draws):
    """The sparkle.

    Args:
        centre: N×2, row and column in pixels.
        counts: N, int64, rays.
        spread: N×199 standard normal numbers.
    """

    centre: Tensor
    counts: Tensor
    spread: Tensor


class InverseSparkles(Corruption[InverseSparklesDraws]):
    """The image goes white outside a sparkle of 50 to 199 rays near its middle.

    Source: Mintun et al. 2021. A level is the source's own number; the light falls with the squared distance to the
    power of 0.13 times it. The mean length of the rays is a quarter of the shorter side.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "inverse_sparkles", 1).min() >= 127 / 255
        tensor(True)
    """

    name = "inverse_sparkles"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {
        "imagenet": ((1.0,), (2.0,), (4.0,), (9.0,), (10.0,)),
        "cifar": ((1.0,), (1.5,), (2.5,), (4.5,), (5.0,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> InverseSparklesDraws:
        """Draw where it is, how many rays it has, and how long those are."""
        place = 0.25 + 0.5 * uniform(fold(seeds, "centre"), (2,))
        return InverseSparklesDraws(
            to_pixels(place, shape[-2], shape[-1]),
            ray_counts(uniform(fold(seeds, "count"))),
            normal(fold(seeds, "lengths"), (MOST_RAYS,)),
        )

    def change(self, images: Tensor, draws: InverseSparklesDraws, level: Level) -> Tensor:
        """Whiten."""
        return inverse_sparkles(images, draws.centre, draws.counts, draws.spread, _EXPONENT * level[0])
