"""The numpy draws of the published generator's noises, in its order."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from robustlit.corruptions.base import Draws, Level
from robustlit.corruptions.noise.gaussian_noise import GaussianNoiseDraws
from robustlit.corruptions.noise.impulse_noise import ImpulseNoiseDraws
from robustlit.corruptions.noise.shot_noise import ShotNoiseDraws
from robustlit.corruptions.noise.speckle_noise import SpeckleNoiseDraws


def _gaussian_noise(stream: np.random.RandomState, image: np.ndarray, level: Level) -> GaussianNoiseDraws:
    return GaussianNoiseDraws(_batch(stream.normal(size=image.shape)))


def _speckle_noise(stream: np.random.RandomState, image: np.ndarray, level: Level) -> SpeckleNoiseDraws:
    return SpeckleNoiseDraws(_batch(stream.normal(size=image.shape)))


def _shot_noise(stream: np.random.RandomState, image: np.ndarray, level: Level) -> ShotNoiseDraws:
    counts = _batch(stream.poisson(image / 255.0 * level[0]))
    return ShotNoiseDraws(torch.zeros_like(counts), counts)


def _impulse_noise(stream: np.random.RandomState, image: np.ndarray, level: Level) -> ImpulseNoiseDraws:
    flipped = stream.choice([True, False], size=image.shape, p=[level[0], 1 - level[0]])
    salted = stream.choice([True, False], size=image.shape, p=[0.5, 0.5])
    return ImpulseNoiseDraws(_batch(np.where(flipped, np.where(salted, 0.25, 0.75) * level[0], 1.0)))


def _batch(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).permute(2, 0, 1)[None].float()


REPLAYS: dict[str, Callable[[np.random.RandomState, np.ndarray, Level], Draws]] = {
    "gaussian_noise": _gaussian_noise,
    "impulse_noise": _impulse_noise,
    "shot_noise": _shot_noise,
    "speckle_noise": _speckle_noise,
}
