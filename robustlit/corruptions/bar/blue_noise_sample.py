"""``blue_noise_sample``: pixels go black where a blue noise is low."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold
from robustlit.corruptions.bar.spectrum import frequency, mirrored_phases, random_field
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["BlueNoiseSample", "BlueNoiseSampleDraws", "blue_noise_sample"]


def blue_noise_sample(images: Tensor, phases: Tensor, threshold: float) -> Tensor:
    """Set pixels black, in all channels, where a blue-noise field is not above a threshold.

    The field is worked out in float64, so that every device keeps the same pixels.

    Args:
        images: N×C×H×W in [0, 1].
        phases: N×H×W in radians.
        threshold: In standard deviations of the field.
    """
    amplitude = frequency(images.shape[-2], images.shape[-1], images.device)
    kept = random_field(amplitude, phases.double()) > threshold
    return images * kept.unsqueeze(1)


@dataclass(frozen=True)
class BlueNoiseSampleDraws(Draws):
    """The noise.

    Args:
        phases: N×H×W in radians, zero frequency in the middle.
    """

    phases: Tensor


class BlueNoiseSample(Corruption[BlueNoiseSampleDraws]):
    """Pixels go black, chosen by a noise without low frequencies, so that they lie evenly.

    Source: Mintun et al. 2021. A level is the source's own number; the threshold is 0.3 times it, minus 2.5, in
    standard deviations of the noise, whose amplitude is proportional to the frequency in periods a pixel, whatever the
    size.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "blue_noise_sample", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "blue_noise_sample"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {
        "imagenet": ((0.8,), (1.6,), (2.4,), (4.0,), (5.6,)),
        "cifar": ((0.7,), (1.4,), (2.1,), (3.5,), (4.2,)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> BlueNoiseSampleDraws:
        """Draw the phases."""
        return BlueNoiseSampleDraws(mirrored_phases(fold(seeds, "noise"), 1, shape[-2], shape[-1])[:, 0])

    def change(self, images: Tensor, draws: BlueNoiseSampleDraws, level: Level) -> Tensor:
        """Black out."""
        return blue_noise_sample(images, draws.phases, 0.3 * level[0] - 2.5)
