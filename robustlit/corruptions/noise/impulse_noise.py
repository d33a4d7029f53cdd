"""Impulse noise: salt and pepper, for every channel by itself."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["ImpulseNoise", "ImpulseNoiseDraws", "impulse_noise"]


@dataclass(frozen=True)
class ImpulseNoiseDraws(Draws):
    """What decides over every value of N images.

    Args:
        uniforms: In [0, 1), float32 N×C×H×W.
    """

    uniforms: Tensor


def impulse_noise(images: Tensor, uniforms: Tensor, amount: float) -> Tensor:
    """Set values to 1 where the uniform number is below half the amount, to 0 where it is below the amount."""
    kept = (uniforms >= amount).float()  # products and sums of zeros and ones: quicker than masks, and as exact
    return (uniforms < amount / 2).float().addcmul_(images, kept)


class ImpulseNoise(Corruption[ImpulseNoiseDraws]):
    """Salt and pepper, half and half, for every channel by itself (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the share of values replaced, whatever the image's size.

    Example:
        >>> draws = ImpulseNoiseDraws(torch.tensor([[[[0.0, 0.2, 0.3]]]]))
        >>> ImpulseNoise().change(torch.full((1, 1, 1, 3), 0.5), draws, (0.25,)).flatten().tolist()
        [1.0, 0.0, 0.5]
    """

    name = "impulse_noise"
    levels: ClassVar = {
        "imagenet": ((0.03,), (0.06,), (0.09,), (0.17,), (0.27,)),
        "tiny": ((0.01,), (0.02,), (0.05,), (0.08,), (0.14,)),
        "cifar": ((0.01,), (0.02,), (0.03,), (0.05,), (0.07,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> ImpulseNoiseDraws:
        """Draw one uniform number for every value."""
        return ImpulseNoiseDraws(uniform(seeds, shape[1:]))

    def change(self, images: Tensor, draws: ImpulseNoiseDraws, level: Level) -> Tensor:
        """Replace values."""
        return impulse_noise(images, draws.uniforms, level[0])
