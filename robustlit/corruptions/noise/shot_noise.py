"""Shot noise: counting photons."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.poisson import poisson_counts

__all__ = ["ShotNoise", "ShotNoiseDraws", "shot_noise"]


@dataclass(frozen=True)
class ShotNoiseDraws(Draws):
    """What becomes the counts of N images.

    Args:
        uniforms: In [0, 1), float32 N×C×H×W; the counts follow from them and from the images.
        counts: Photons counted, float32 N×C×H×W, where they are known already; then the uniforms are not read.
    """

    uniforms: Tensor
    counts: Tensor | None = None


def shot_noise(counts: Tensor, photons: float) -> Tensor:
    """Turn counts N×C×H×W into pixels; white is ``photons`` counts."""
    return counts / photons


class ShotNoise(Corruption[ShotNoiseDraws]):
    """Poisson noise of counting few photons (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the mean count of a white value, whatever the image's size. Means are those of whole grey levels, also
    for images between them (``quantize=False``).

    Example:
        >>> draws = ShotNoise().sample(torch.Size((1, 3, 16, 16)), torch.tensor([7]), (12.0,))
        >>> noisy = ShotNoise().change(torch.full((1, 3, 16, 16), 0.4), draws, (12.0,))
        >>> bool((noisy * 12 % 1 == 0).all()), 0.3 < float(noisy.mean()) < 0.5
        (True, True)
    """

    name = "shot_noise"
    levels: ClassVar = {
        "imagenet": ((60.0,), (25.0,), (12.0,), (5.0,), (3.0,)),
        "tiny": ((250.0,), (100.0,), (50.0,), (30.0,), (15.0,)),
        "cifar": ((500.0,), (250.0,), (100.0,), (75.0,), (50.0,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> ShotNoiseDraws:
        """Draw one uniform number for every value."""
        return ShotNoiseDraws(uniform(seeds, shape[1:]))

    def change(self, images: Tensor, draws: ShotNoiseDraws, level: Level) -> Tensor:
        """Count photons."""
        counts = poisson_counts(images, draws.uniforms, level[0]) if draws.counts is None else draws.counts
        return shot_noise(counts, level[0])
