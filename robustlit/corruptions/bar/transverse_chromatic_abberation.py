"""Transverse chromatic aberration: colour channels magnified differently (CIFAR-10-C-bar, its spelling)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.spline import cubic_resize

__all__ = ["TransverseChromaticAbberation", "TransverseChromaticAbberationDraws", "transverse_chromatic_abberation"]


@dataclass(frozen=True)
class TransverseChromaticAbberationDraws(Draws):
    """Which channel is magnified how much.

    Args:
        order: 0, 1 or 2 for every channel, int64 N×3: the number of half steps.
    """

    order: Tensor


class TransverseChromaticAbberation(Corruption[TransverseChromaticAbberationDraws]):
    """The three channels are magnified by 1, 1+s/2 and 1+s in random order, and cropped at the centre.

    Level: s. The source interpolates by cubic splines without their prefilter, so that even the channel of scale 1 is
    smoothed. Source: Mintun, Kirillov and Xie 2021, "On Interaction Between Augmentations and Corruptions in Natural
    Corruption Robustness".
    """

    name = "transverse_chromatic_abberation"
    levels: ClassVar = {"cifar": ((0.05,), (0.1,), (0.25,), (0.45,), (0.5,))}
    needs_color = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> TransverseChromaticAbberationDraws:
        """Draw a random order of the channels a sample."""
        return TransverseChromaticAbberationDraws(uniform(seeds, (3,)).argsort(dim=1, stable=True))

    def change(self, images: Tensor, draws: TransverseChromaticAbberationDraws, level: Level) -> Tensor:
        """Magnify the channels."""
        return transverse_chromatic_abberation(images, draws.order, level[0])


def transverse_chromatic_abberation(images: Tensor, order: Tensor, strength: float) -> Tensor:
    """Magnify channel c by 1 + order·strength/2 and crop it at the centre; the result is rounded to 8 bits.

    Args:
        images: Float N×3×H×W in [0, 1].
        order: 0, 1 and 2 in any order, int64 N×3.
        strength: Magnification of the largest channel beyond 1.

    Returns:
        Float N×3×H×W, multiples of 1/255.
    """
    place = order[:, :, None, None].expand_as(images)
    by_scale = images.gather(1, order.argsort(dim=1)[:, :, None, None].expand_as(images))
    parts = []
    for half_steps, channel in enumerate(by_scale.unbind(1)):
        rows, columns = (_cropped_places(n, 1 + strength * half_steps / 2, images.device) for n in images.shape[-2:])
        parts.append(cubic_resize(channel.unsqueeze(1), rows, columns))
    magnified = torch.cat(parts, dim=1).gather(1, place)
    return (magnified * 255 + 0.5).floor_().div_(255)


@cached_tensors(64)
def _cropped_places(length: int, scale: float, device: torch.device) -> Tensor:
    """Coordinates of the central ``length`` pixels of a side that is stretched end to end."""
    stretched = round(length * scale)
    edge = (stretched - length) // 2
    places = torch.arange(edge, edge + length, dtype=torch.float64) * ((length - 1) / (stretched - 1))
    return places.float().to(device)
