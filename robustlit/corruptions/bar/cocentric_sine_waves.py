"""``cocentric_sine_waves``: wobbling rings around a point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.bar.coordinates import angle, coordinates, to_pixels
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["CocentricSineWaves", "CocentricSineWavesDraws", "cocentric_sine_waves"]

_AMPLITUDE = 12.8 / 255  # a unit of the published number


def cocentric_sine_waves(
    images: Tensor, centre: Tensor, frequency: Tensor, wobble: Tensor, width: Tensor, amplitude: float
) -> Tensor:
    """Add a sawtooth of the distance from a centre, the same to all channels.

    It is worked out in float64: where the sawtooth falls, a last digit is a jump of the whole amplitude.

    Args:
        images: N×C×H×W in [0, 1].
        centre: N×2, row and column in pixels.
        frequency: N, how many times a circle around the centre wobbles.
        wobble: N, how far it wobbles, in pixels.
        width: N, of a ring in pixels, above 0.
        amplitude: Of the sawtooth, from its lowest point to its highest, on the scale of the images.
    """
    rows, columns = coordinates(images, torch.float64)
    down, right = rows - centre[:, 0, None, None], columns - centre[:, 1, None, None]
    wave = angle(down, right).mul_(frequency[:, None, None]).sin_().mul_(wobble[:, None, None])
    rings = (down**2 + right**2).sqrt_().add_(wave).div_(width[:, None, None])
    sawtooth = (rings - rings.floor()).sub_(0.5).to(images.dtype)
    return images + amplitude * sawtooth.unsqueeze(1)


@dataclass(frozen=True)
class CocentricSineWavesDraws(Draws):
    """The rings.

    Args:
        centre: N×2, row and column in pixels.
        frequency: N, wobbles a turn.
        wobble: N, in pixels.
        width: N, in pixels.
    """

    centre: Tensor
    frequency: Tensor
    wobble: Tensor
    width: Tensor


class CocentricSineWaves(Corruption[CocentricSineWavesDraws]):
    """Rings around a random point, wobbling by a sine of the angle, are added to every channel.

    Source: Mintun et al. 2021. A level is the source's own number; the amplitude is 12.8 grey levels times it. Despite
    the name the profile of the rings is a sawtooth. For sizes other than the published 224×224 the rings scale with the
    shorter side, and the centre is anywhere in the image.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "cocentric_sine_waves", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "cocentric_sine_waves"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {"imagenet": ((3.0,), (5.0,), (8.0,), (9.0,), (10.0,))}

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> CocentricSineWavesDraws:
        """Draw the centre and the rings."""
        height, width = shape[-2:]
        numbers = uniform(fold(seeds, "rings"), (5,))
        longest = min(height, width) / 10
        return CocentricSineWavesDraws(
            centre=to_pixels(numbers[:, :2], height, width),
            frequency=10 * numbers[:, 2],
            wobble=longest * numbers[:, 3],
            width=longest * (1 - numbers[:, 4]),  # never 0
        )

    def change(self, images: Tensor, draws: CocentricSineWavesDraws, level: Level) -> Tensor:
        """Add the rings."""
        return cocentric_sine_waves(
            images, draws.centre, draws.frequency, draws.wobble, draws.width, _AMPLITUDE * level[0]
        )
