"""Fog: a plasma map as a bright veil, and the image darkened in return."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.plasma import plasma, plasma_draws, plasma_size

__all__ = ["Fog", "FogDraws", "fog"]


@dataclass(frozen=True)
class FogDraws(Draws):
    """What the plasma maps are made of.

    Args:
        uniforms: N×(S²−1) in [0, 1), for maps of side S.
    """

    uniforms: Tensor


class Fog(Corruption[FogDraws]):
    """Fog of ImageNet-C: a veil of diamond-square plasma (Hendrycks and Dietterich 2019, section 4).

    Levels are the amount of fog and the decay of its detail. The map's side is the next power of two of the larger
    side, so fog has the same number of levels of detail an image whatever the image's size.

    Example:
        >>> Fog().level("imagenet", 3)
        (2.5, 1.7)
    """

    name = "fog"
    continuous = True
    levels: ClassVar = {
        "imagenet": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)),
        "tiny": ((0.4, 3.0), (0.7, 3.0), (1.0, 2.5), (1.5, 2.0), (2.0, 1.75)),
        "cifar": ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> FogDraws:
        """Draw the displacements of every cell of the map."""
        return FogDraws(uniform(seeds, (plasma_draws(plasma_size(shape[-2], shape[-1])),)))

    def change(self, images: Tensor, draws: FogDraws, level: Level) -> Tensor:
        """Draw the veil over the images."""
        amount, decay = level
        veil = plasma(draws.uniforms, decay)
        return fog(images, veil[:, : images.shape[-2], : images.shape[-1]], amount)


def fog(images: Tensor, veil: Tensor, amount: float) -> Tensor:
    """Add a veil N×H×W in [0, 1] to images N×C×H×W; the brightest value of each image stays about what it was."""
    brightest = images.flatten(1).amax(1)[:, None, None, None]
    share = brightest / (brightest + amount)
    return torch.addcmul(veil[:, None] * (amount * share), images, share)
