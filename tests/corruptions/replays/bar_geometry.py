"""The draws of the published C-bar generator for the geometric corruptions, in its order, from a numpy stream."""

from collections.abc import Callable

import numpy as np
import torch

from robustlit.corruptions.bar.caustic_refraction import CausticRefractionDraws
from robustlit.corruptions.bar.pinch_and_twirl import PinchAndTwirlDraws
from robustlit.corruptions.bar.ripple import RippleDraws
from robustlit.corruptions.bar.transverse_chromatic_abberation import TransverseChromaticAbberationDraws
from robustlit.corruptions.base import Draws, Level


def caustic_refraction(stream: np.random.RandomState, image: np.ndarray, level: Level) -> CausticRefractionDraws:
    """A time, then a size in image sides."""
    time = stream.uniform(0.5, 2)
    return CausticRefractionDraws(_one(time), _one(stream.uniform(0.75, 1.25) * image.shape[0]))


def circular_motion_blur(stream: np.random.RandomState, image: np.ndarray, level: Level) -> Draws:
    """Nothing."""
    return Draws()


def pinch_and_twirl(stream: np.random.RandomState, image: np.ndarray, level: Level) -> PinchAndTwirlDraws:
    """One choice a tile, column by column."""
    count = 5 if image.shape[0] == 224 else 3
    signs = np.array([stream.choice([1, -1]) for _ in range(count * count)]).reshape(count, count)
    return PinchAndTwirlDraws(_one(signs.T))


def ripple(stream: np.random.RandomState, image: np.ndarray, level: Level) -> RippleDraws:
    """Two wavelengths in image sides, then two phases."""
    wavelengths = stream.uniform(0.1, 0.3, size=2) * image.shape[0]
    return RippleDraws(_one(wavelengths), _one(stream.uniform(0, 2 * np.pi, size=2)))


def transverse_chromatic_abberation(
    stream: np.random.RandomState, image: np.ndarray, level: Level
) -> TransverseChromaticAbberationDraws:
    """A permutation: the scale of every channel."""
    return TransverseChromaticAbberationDraws(torch.from_numpy(stream.permutation(3)).long()[None])


def _one(values: np.ndarray | float) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)[None]


REPLAYS: dict[str, Callable[[np.random.RandomState, np.ndarray, Level], Draws]] = {
    "caustic_refraction": caustic_refraction,
    "circular_motion_blur": circular_motion_blur,
    "pinch_and_twirl": pinch_and_twirl,
    "ripple": ripple,
    "transverse_chromatic_abberation": transverse_chromatic_abberation,
}
