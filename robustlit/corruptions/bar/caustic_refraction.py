"""Caustic refraction: the image seen through moving water (ImageNet-C-bar)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from robustlit.core.random import fold, uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.sampling import bilinear, nearest

__all__ = ["CausticRefraction", "CausticRefractionDraws", "caustic_refraction", "caustics"]

_OFFSET = 250.0  # radians, subtracted from the phases in the source
_WHOLE = _OFFSET % (2 * math.pi)  # the part of it that matters in a sine
_DENSITY = 4  # the refraction divides sines by it
_LEVEL = 1 / 0.999**2 - 1  # squared slope up to which rays pass straight, where the normal's third part is 0.999
_REACH = 4  # pixels of the Gaussian of sigma 1


@dataclass(frozen=True)
class CausticRefractionDraws(Draws):
    """The moment and the scale of the water.

    Args:
        time: 0.5 to 2, of shape N.
        size: Period of the pattern in pixels, of shape N.
    """

    time: Tensor
    size: Tensor


class CausticRefraction(Corruption[CausticRefractionDraws]):
    """A caustic pattern refracts the image like a water surface and lights its slopes; beyond the image is black.

    Level: lens as a fraction of the shorter side, light. The period is 0.75 to 1.25 of the shorter side. Source:
    Mintun, Kirillov and Xie 2021, "On Interaction Between Augmentations and Corruptions in Natural Corruption
    Robustness".
    """

    name = "caustic_refraction"
    levels: ClassVar = {"imagenet": tuple((0.05 * v, 0.2 * v) for v in (2.35, 3.2, 4.9, 6.6, 9.15))}
    geometric = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> CausticRefractionDraws:
        """Draw a time and a size a sample."""
        time = 0.5 + 1.5 * uniform(fold(seeds, "time"))
        return CausticRefractionDraws(time, (0.75 + 0.5 * uniform(fold(seeds, "size"))) * min(shape[-2:]))

    def change(self, images: Tensor, draws: CausticRefractionDraws, level: Level) -> Tensor:
        """Refract and light the image."""
        lens, light = level
        pattern = caustics(draws.time, draws.size, images.shape[-2], images.shape[-1])
        return caustic_refraction(images, pattern, lens * min(images.shape[-2:]), light)

    def warp(self, masks: Tensor, draws: CausticRefractionDraws, level: Level) -> Tensor:
        """Refract the masks; they repeat their edge where images are black."""
        pattern = caustics(draws.time, draws.size, masks.shape[-2], masks.shape[-1])
        return nearest(masks, *_refracted(*_slopes(pattern), level[0] * min(masks.shape[-2:])))


def caustic_refraction(images: Tensor, pattern: Tensor, lens: float, light: float) -> Tensor:
    """Refract images at the surface whose height is the pattern, and light it.

    Args:
        images: Float N×C×H×W in [0, 1].
        pattern: Height of the surface, N×H×W.
        lens: Displacement in pixels by a refracted direction of length one.
        light: Brightness added for each unit of slope.

    Returns:
        Float N×C×H×W, not clipped.
    """
    down, right = _slopes(pattern)
    seen = bilinear(images, *_refracted(down, right, lens)).clamp(0, 1)
    return seen.add_((light * (down - right)).unsqueeze(1))


def caustics(time: Tensor, size: Tensor, height: int, width: int) -> Tensor:
    """Return caustic patterns in [0, 1], N×H×W, smoothed by a Gaussian of sigma 1.

    Args:
        time: Of shape N.
        size: Period in pixels, of shape N.
        height: In pixels.
        width: In pixels.
    """
    down, right = _phase(height, size)[:, :, None], _phase(width, size)[:, None]
    far_down, far_right = (0.005 * (phase - _OFFSET) for phase in (down, right))
    row, column = down.expand(-1, -1, width), right.expand(-1, height, -1)
    total = torch.ones_like(row)
    for step in range(1, 6):
        # places are 250 less than the phases in the source; here the angles take it, for float32 is coarse at 250
        moment = (time * (1 - 3.5 / step))[:, None, None]
        plus, minus = moment - _WHOLE, moment + _WHOLE
        row, column = (
            down + torch.cos(minus - row) + torch.sin(plus + column),
            right + torch.sin(minus - column) + torch.cos(plus + row),
        )
        across = (far_down / torch.sin(plus + row)).square() + (far_right / torch.cos(plus + column)).square()
        total = total + across.rsqrt()
    pattern = (1.17 - (total / 5) ** 1.4).abs() ** 8
    return _smoothed(pattern.clamp(0, 1))


def _phase(length: int, size: Tensor) -> Tensor:
    """Place in the period as an angle from 0 to 2π, N×length."""
    return 2 * math.pi * (torch.arange(length, device=size.device) / size[:, None] % 1)


def _smoothed(pattern: Tensor) -> Tensor:
    """Gaussian of sigma 1 cut at 4 pixels; beyond the edge the pattern is mirrored, edge pixel included."""
    weights = [math.exp(-(k * k) / 2) for k in range(_REACH + 1)]
    whole = 2 * sum(weights) - 1
    for axis in (1, 2):
        length = pattern.shape[axis]
        ends = pattern.narrow(axis, 0, _REACH).flip(axis), pattern.narrow(axis, length - _REACH, _REACH).flip(axis)
        padded = torch.cat((ends[0], pattern, ends[1]), axis)
        pattern = pattern * (weights[0] / whole)
        for k in range(1, _REACH + 1):
            both = padded.narrow(axis, _REACH - k, length) + padded.narrow(axis, _REACH + k, length)
            pattern.add_(both, alpha=weights[k] / whole)
    return pattern


def _slopes(pattern: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of the two neighbours down and to the right, N×H×W; beyond the image the pattern is 0."""
    padded = functional.pad(pattern, (1, 1, 1, 1))
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    return down, right


def _refracted(down: Tensor, right: Tensor, lens: float) -> tuple[Tensor, Tensor]:
    """Row and column coordinates, N×H×W, at which a ray from straight above meets the image.

    With the unit normal (a, b, c) and m² = a² + b², dividing the sine by 4 bends the ray to (a, b)·(√(1-m²/16) - c/4).
    """
    steep = down.square() + right.square()
    upright = (1 + steep).rsqrt()  # c
    bend = (1 - steep * (upright / _DENSITY) ** 2).sqrt() - upright / _DENSITY
    factor = torch.where(steep <= _LEVEL, 0, lens * upright * bend)
    rows, columns = (torch.arange(n, device=down.device).float() for n in down.shape[-2:])
    return rows[:, None] + _rounded(factor * down), columns + _rounded(factor * right)


def _rounded(places: Tensor) -> Tensor:
    return torch.round(places * 1000) / 1000
