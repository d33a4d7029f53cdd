"""Frost: a crop of a frosted pane laid over the image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.weather.frost_textures import frost_textures

__all__ = ["Frost", "FrostDraws", "frost"]


@dataclass(frozen=True)
class FrostDraws(Draws):
    """Which pane, and where on it.

    Args:
        picture: int64 N.
        top: int64 N, in pixels of the scaled pane.
        left: int64 N, likewise.
    """

    picture: Tensor
    top: Tensor
    left: Tensor


class Frost(Corruption[FrostDraws]):
    """Frost of ImageNet-C (Hendrycks and Dietterich 2019, section 4), by default with panes drawn by this project.

    The licence of the six published photographs is not stated, so they are not part of this package; results with
    its own panes are recorded as ``frost_procedural``. Levels are the weights of image and frost and the scale of the
    pane: crops are taken pixel for pixel whatever the image's size, and a pane that is smaller than the image is
    enlarged.

    Args:
        source: "procedural"; "imagecorruptions" for the published photographs out of that installed package; or a
            folder that holds them.

    Raises:
        ValueError: At first use, if the published photographs are not there.

    Example:
        >>> Frost().label, Frost("imagecorruptions").label
        ('frost_procedural', 'frost')
    """

    name = "frost"
    needs_color = True
    levels: ClassVar = {
        "imagenet": ((1.0, 0.4, 1.0), (0.8, 0.6, 1.0), (0.7, 0.7, 1.0), (0.65, 0.7, 1.0), (0.6, 0.75, 1.0)),
        "tiny": ((1.0, 0.3, 0.3), (0.9, 0.4, 0.3), (0.8, 0.45, 0.3), (0.75, 0.5, 0.3), (0.7, 0.55, 0.3)),
        "cifar": ((1.0, 0.2, 0.2), (1.0, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
    }

    def __init__(self, source: str = "procedural") -> None:
        self.source = str(source)

    @property
    def label(self) -> str:
        """``frost_procedural``, or ``frost`` with the published photographs."""
        return "frost_procedural" if self.source == "procedural" else self.name

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> FrostDraws:
        """Draw a pane and a corner on it."""
        textures = frost_textures(self.source, level[2], shape[-2], shape[-1], seeds.device)
        chance = uniform(fold(seeds, "pane"), (3,))
        picture = _below(chance[:, 0], torch.full_like(seeds, len(textures.starts)))
        top = _below(chance[:, 1], textures.heights[picture] - shape[-2])
        left = _below(chance[:, 2], textures.widths[picture] - shape[-1])
        return FrostDraws(picture, top, left)

    def change(self, images: Tensor, draws: FrostDraws, level: Level) -> Tensor:
        """Lay the panes over the images."""
        height, width = images.shape[-2:]
        textures = frost_textures(self.source, level[2], height, width, images.device)
        panes = textures.crops(draws.picture, draws.top, draws.left, height, width)
        return frost(images, panes, level[0], level[1])

    def __repr__(self) -> str:
        return f"Frost(source={self.source!r})"


def frost(images: Tensor, panes: Tensor, image_weight: float, frost_weight: float) -> Tensor:
    """Add images and panes, both N×3×H×W in [0, 1], by their weights; the sum may exceed 1."""
    return (panes * frost_weight).add_(images, alpha=image_weight)


def _below(chance: Tensor, limit: Tensor) -> Tensor:
    """Whole numbers from 0 to limit − 1 out of chances in [0, 1)."""
    return (chance.double() * limit).long()
