"""``brownish_noise``: coloured clouds, smooth and coarse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold
from robustlit.corruptions.bar.spectrum import frequency, mirrored_phases, random_field
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["BrownishNoise", "BrownishNoiseDraws", "brownish_noise"]

_DEVIATION = 6.4 / 255  # a unit of the published number


def brownish_noise(images: Tensor, phases: Tensor, deviation: float) -> Tensor:
    """Add fields whose amplitude falls as 1 / (frequency² + 1), another one to each channel.

    Args:
        images: N×C×H×W in [0, 1].
        phases: N×C×H×W in radians.
        deviation: Standard deviation of the fields, on the scale of the images.
    """
    amplitude = 1 / (frequency(images.shape[-2], images.shape[-1], images.device).square() + 1)
    return images + deviation * random_field(amplitude.to(images.dtype), phases.to(images.dtype))


@dataclass(frozen=True)
class BrownishNoiseDraws(Draws):
    """The noise.

    Args:
        phases: N×C×H×W in radians, zero frequency in the middle.
    """

    phases: Tensor


class BrownishNoise(Corruption[BrownishNoiseDraws]):
    """A noise of low frequencies is added to each channel by itself.

    Source: Mintun et al. 2021. A level is the source's own number; the standard deviation of the noise is 6.4 grey
    levels times it. Frequencies are in periods a shorter side, so the clouds scale with the image.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "brownish_noise", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "brownish_noise"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {
        "imagenet": ((1.0,), (2.0,), (3.0,), (4.0,), (5.0,)),
        "cifar": ((2.5,), (4.0,), (5.5,), (6.5,), (7.0,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> BrownishNoiseDraws:
        """Draw the phases of each channel."""
        return BrownishNoiseDraws(mirrored_phases(fold(seeds, "noise"), *shape[1:]))

    def change(self, images: Tensor, draws: BrownishNoiseDraws, level: Level) -> Tensor:
        """Add the noise."""
        return brownish_noise(images, draws.phases, _DEVIATION * level[0])
