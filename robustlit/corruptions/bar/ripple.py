"""Ripple: rows and columns displaced by sine waves (CIFAR-10-C-bar)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.sampling import bilinear, nearest

__all__ = ["Ripple", "RippleDraws", "ripple"]


@dataclass(frozen=True)
class RippleDraws(Draws):
    """The two waves, of rows and of columns.

    Args:
        wavelengths: In pixels, N×2.
        phases: In radians, N×2.
    """

    wavelengths: Tensor
    phases: Tensor


class Ripple(Corruption[RippleDraws]):
    """Rows are read at row + A·sin(2π·row/λ₁ + φ₁), columns likewise; beyond the image is black.

    Level: A as a fraction of the shorter side. Wavelengths are 0.1 to 0.3 of the shorter side. Source: Mintun, Kirillov
    and Xie 2021, "On Interaction Between Augmentations and Corruptions in Natural Corruption Robustness".
    """

    name = "ripple"
    levels: ClassVar = {"cifar": ((0.01375,), (0.015,), (0.01625,), (0.01875,), (0.02,))}
    geometric = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> RippleDraws:
        """Draw two wavelengths and two phases a sample."""
        wavelengths = (0.1 + 0.2 * uniform(fold(seeds, "wavelengths"), (2,))) * min(shape[-2:])
        return RippleDraws(wavelengths, 2 * math.pi * uniform(fold(seeds, "phases"), (2,)))

    def change(self, images: Tensor, draws: RippleDraws, level: Level) -> Tensor:
        """Displace the pixels."""
        return ripple(images, draws.wavelengths, draws.phases, level[0] * min(images.shape[-2:]))

    def warp(self, masks: Tensor, draws: RippleDraws, level: Level) -> Tensor:
        """Displace the masks; they repeat their edge where images are black."""
        amplitude = level[0] * min(masks.shape[-2:])
        return nearest(masks, *_places(masks, draws.wavelengths, draws.phases, amplitude))


def ripple(images: Tensor, wavelengths: Tensor, phases: Tensor, amplitude: float) -> Tensor:
    """Displace rows and columns by one wave each.

    Args:
        images: Float N×C×H×W.
        wavelengths: Of the rows' and the columns' wave in pixels, N×2.
        phases: In radians, N×2.
        amplitude: In pixels.

    Returns:
        Float N×C×H×W.
    """
    return bilinear(images, *_places(images, wavelengths, phases, amplitude))


def _places(pixels: Tensor, wavelengths: Tensor, phases: Tensor, amplitude: float) -> tuple[Tensor, Tensor]:
    """Row coordinates N×H×1 and column coordinates N×1×W."""
    rows, columns = (
        axis + amplitude * torch.sin(2 * math.pi * axis / wavelengths[:, i, None] + phases[:, i, None])
        for i, axis in enumerate(torch.arange(n, device=phases.device).float() for n in pixels.shape[-2:])
    )
    return rows[:, :, None], columns[:, None]
