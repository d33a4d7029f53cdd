"""Saturate: more or less colour in the colour model of hue, saturation and value."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["Saturate", "saturate"]

_REDDISH = 1e-30  # the hue of grey is red by convention: its green and blue count as this much below its red


def saturate(images: Tensor, factor: float, offset: float) -> Tensor:
    """Change the saturation to factor·saturation + offset, in [0, 1], with hue and value as they are.

    Channels keep the ratios of their distances from the largest one, so the detour over hue comes down to one factor a
    pixel.

    Args:
        images: float32 N×3×H×W in [0, 1].
        factor: Multiplies the saturation.
        offset: Is added to it.

    Returns:
        float32 N×3×H×W.
    """
    red, green, blue = torch.split(images, 1, dim=1)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    full = torch.div(value, chroma.add_(_REDDISH), out=chroma)  # the factor of the distances that gives full saturation
    if not offset:  # grey stays grey
        return torch.lerp(value, images, full.clamp_(max=factor))
    below = value - images
    below[:, 1:] += _REDDISH
    return torch.addcmul(value, below, torch.minimum(full, (full * offset).add_(factor)), value=-1)


class Saturate(Corruption[Draws]):
    """Less or more colour (Hendrycks and Dietterich 2019, one of the four extra corruptions).

    A level is the factor and the offset of the saturation of HSV. Grey pixels turn reddish where there is an offset.

    Example:
        >>> Saturate().change(torch.tensor([0.8, 0.4, 0.6]).view(1, 3, 1, 1), Draws(), (0.5, 0.0)).flatten()
        tensor([0.8000, 0.6000, 0.7000])
    """

    name = "saturate"
    levels: ClassVar = {
        "imagenet": ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2)),
        "tiny": ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (30.0, 0.2)),
        "cifar": ((0.3, 0.0), (0.1, 0.0), (1.5, 0.0), (2.0, 0.1), (2.5, 0.2)),
    }
    needs_color = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Change the saturation."""
        return saturate(images, *level)
