"""``single_frequency_greyscale``: one plane sine wave."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.bar.coordinates import coordinates
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["SingleFrequencyGreyscale", "SingleFrequencyGreyscaleDraws", "single_frequency_greyscale"]

_AMPLITUDE = 19.6 / 255  # a unit of the published number


def single_frequency_greyscale(images: Tensor, frequency: Tensor, phase: Tensor, amplitude: float) -> Tensor:
    """Add one sine wave, the same to all channels.

    Args:
        images: N×C×H×W in [0, 1].
        frequency: N×2 in radians a pixel, along the columns and along the rows.
        phase: N, in radians.
        amplitude: On the scale of the images.
    """
    rows, columns = coordinates(images)
    across = columns * frequency[:, 0, None, None]
    down = rows * frequency[:, 1, None, None] + phase[:, None, None]
    # sin(a + b) by its addition theorem: sines of H + W numbers in the place of H·W
    wave = across.sin() * down.cos() + across.cos() * down.sin()
    return images + amplitude * wave.unsqueeze(1)


@dataclass(frozen=True)
class SingleFrequencyGreyscaleDraws(Draws):
    """The wave.

    Args:
        frequency: N×2 in radians a pixel, along the columns and along the rows.
        phase: N, in radians.
    """

    frequency: Tensor
    phase: Tensor


class SingleFrequencyGreyscale(Corruption[SingleFrequencyGreyscaleDraws]):
    """A plane sine wave of random direction and frequency is added to every channel.

    Source: Mintun et al., "On Interaction Between Augmentations and Corruptions in Natural Corruption Robustness"
    (2021). A level is the source's own number; the amplitude is 19.6 grey levels times it. Frequencies are a pixel's,
    whatever the size.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "single_frequency_greyscale", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "single_frequency_greyscale"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {"imagenet": ((1.0,), (1.5,), (2.0,), (4.5,), (5.0,))}

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> SingleFrequencyGreyscaleDraws:
        """Draw the higher frequency, the lower one, which is which, and the phase."""
        numbers = uniform(fold(seeds, "wave"), (4,))
        high = math.pi * (2 * numbers[:, 0] - 1)
        low = high.abs() * (2 * numbers[:, 1] - 1)
        high_first = numbers[:, 2] < 0.5
        frequency = torch.stack((high.where(high_first, low), low.where(high_first, high)), dim=1)
        return SingleFrequencyGreyscaleDraws(frequency, 2 * math.pi * numbers[:, 3])

    def change(self, images: Tensor, draws: SingleFrequencyGreyscaleDraws, level: Level) -> Tensor:
        """Add the wave."""
        return single_frequency_greyscale(images, draws.frequency, draws.phase, _AMPLITUDE * level[0])
