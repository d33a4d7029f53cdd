"""``plasma_noise``: a coloured plasma of warped cosines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.bar.coordinates import coordinates
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["PlasmaNoise", "PlasmaNoiseDraws", "plasma", "plasma_noise"]

_INTENSITY = 6.4 / 255  # a unit of the published number
_FEWEST, _MOST = 4, 6  # times the plane is warped


def plasma_noise(images: Tensor, colours: Tensor, intensity: float) -> Tensor:
    """Blend towards a plasma.

    Args:
        images: N×3×H×W in [0, 1].
        colours: N×3×H×W in [-1, 1], of ``plasma``.
        intensity: Share of the plasma, 0 to 1.
    """
    return (1 - intensity) * images + intensity * colours


def plasma(images: Tensor, time: Tensor, warps: Tensor, sharpness: Tensor, scale: Tensor) -> Tensor:
    """Return a plasma, N×3×H×W in [-1, 1]: sines of a plane that is warped by cosines of itself, several times.

    Args:
        images: N×C×H×W; give size and device.
        time: N, in radians.
        warps: N, 4 to 6.
        sharpness: N; the higher, the more the late and fine warps move.
        scale: N, pixels to a unit of the plane.
    """
    rows, columns = coordinates(images)
    time, sharpness, scale = time[:, None, None], sharpness[:, None, None], scale[:, None, None]
    x, y = columns / scale, rows / scale
    for number in range(_MOST):
        fine, early = 1.93**number, time / 1.15**number
        reach = (2.25 - sharpness) ** -number
        if number >= _FEWEST:
            reach = reach * (number < warps[:, None, None])
        right = torch.cos(y * fine + early) * reach
        down = torch.sin(x * fine + early) * reach
        x, y = x + (right - 0.3 * down), y + (down + 0.3 * right)
    red = torch.sin(x - time)
    green = torch.sin((x + y + torch.sin(time)) * 0.5)
    blue = torch.sin(y + time)
    return torch.stack((red, green, blue), dim=1)


@dataclass(frozen=True)
class PlasmaNoiseDraws(Draws):
    """The plasma.

    Args:
        time: N, in radians.
        warps: N, int64, 4 to 6.
        sharpness: N, 0.5 to 1.
        scale: N, in pixels.
    """

    time: Tensor
    warps: Tensor
    sharpness: Tensor
    scale: Tensor


class PlasmaNoise(Corruption[PlasmaNoiseDraws]):
    """The image is blended with a coloured plasma.

    Source: Mintun et al. 2021. A level is the source's own number; the plasma's share is 6.4/255 times it. For sizes
    other than the published 224×224 the plasma scales with the shorter side.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "plasma_noise", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "plasma_noise"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {"imagenet": ((4.75,), (7.0,), (8.5,), (9.25,), (10.0,))}
    needs_color = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> PlasmaNoiseDraws:
        """Draw what the plasma looks like."""
        numbers = uniform(fold(seeds, "plasma"), (4,))
        return PlasmaNoiseDraws(
            time=6 * math.pi * numbers[:, 0],
            warps=_FEWEST + (numbers[:, 1] * (_MOST - _FEWEST + 1)).long(),
            sharpness=0.5 + 0.5 * numbers[:, 2],
            scale=min(shape[-2:]) * (0.075 + 0.125 * numbers[:, 3]),
        )

    def change(self, images: Tensor, draws: PlasmaNoiseDraws, level: Level) -> Tensor:
        """Make the plasma and blend."""
        colours = plasma(images, draws.time, draws.warps, draws.sharpness, draws.scale)
        return plasma_noise(images, colours, _INTENSITY * level[0])
