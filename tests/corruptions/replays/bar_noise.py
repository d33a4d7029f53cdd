"""The published numpy draws of the additive and masking C-bar corruptions, in the source's order, as our draws."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from robustlit.corruptions.bar.blue_noise_sample import BlueNoiseSampleDraws
from robustlit.corruptions.bar.brownish_noise import BrownishNoiseDraws
from robustlit.corruptions.bar.checkerboard_cutout import CheckerboardCutoutDraws
from robustlit.corruptions.bar.cocentric_sine_waves import CocentricSineWavesDraws
from robustlit.corruptions.bar.inverse_sparkles import InverseSparklesDraws
from robustlit.corruptions.bar.lines import LinesDraws
from robustlit.corruptions.bar.perlin_noise import PerlinNoiseDraws
from robustlit.corruptions.bar.plasma_noise import PlasmaNoiseDraws
from robustlit.corruptions.bar.single_frequency_greyscale import SingleFrequencyGreyscaleDraws
from robustlit.corruptions.bar.sparkles import SparklesDraws
from robustlit.corruptions.base import Draws, Level

Stream = np.random.RandomState


def blue_noise_sample(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    return BlueNoiseSampleDraws(_one(_phases(_own(stream), image)))


def brownish_noise(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    own = _own(stream)
    return BrownishNoiseDraws(_one([_phases(own, image) for _ in range(image.shape[2])]))


def single_frequency_greyscale(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    high = stream.uniform(-np.pi, np.pi)
    low = stream.uniform(-abs(high), abs(high))
    pair = np.array([high, low])[stream.permutation(2)]
    return SingleFrequencyGreyscaleDraws(_one(pair).float(), _one(stream.uniform(0, 2 * np.pi)).float())


def cocentric_sine_waves(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    size = len(image)
    column, row = stream.uniform(0, size, size=2)
    frequency = stream.uniform(0, 10)
    wobble = stream.uniform(0, size / 10)
    width = stream.uniform(0, size / 10)
    return CocentricSineWavesDraws(_one([row, column]), _one(frequency), _one(wobble), _one(width))


def plasma_noise(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    time = stream.uniform(0, 6 * np.pi)
    warps = stream.randint(4, 7)
    sharpness = stream.uniform(0.5, 1)
    scale = stream.uniform(0.075, 0.2) * len(image)
    return PlasmaNoiseDraws(_one(time).float(), _one(warps), _one(sharpness).float(), _one(scale).float())


def perlin_noise(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    own = _own(stream)
    # 514 are drawn, of which the first 256 are used
    points = np.array([own.randint(0, 2**31, size=2) % 512 - 256 for _ in range(514)])[:256] / 256
    order = np.arange(256)
    for last in range(255, -1, -1):
        other = own.randint(0, 2**31) % 256
        order[[last, other]] = order[[other, last]]
    gradients = points / np.linalg.norm(points, axis=1, keepdims=True)
    return PerlinNoiseDraws(_one(gradients).float(), _one(order))


def checkerboard_cutout(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    size = len(image)
    angle = stream.uniform(0, 2 * np.pi)
    cell = max(stream.uniform(0.1, 0.25) * size, 1)
    side = int(4 * size // cell)
    numbers = np.ones((40, 40))
    numbers[:side, :side] = _own(stream).uniform(size=(side, side))
    return CheckerboardCutoutDraws(_one(angle), _one(cell), _one(side), _one(numbers))


def sparkles(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    centres = stream.uniform(0, len(image), size=(5, 2))
    own = _own(stream)
    counts = stream.randint(50, 200, size=5)
    spread = np.array([_rays(own, count) for count in counts])
    return SparklesDraws(_one(centres).float(), _one(counts), _one(spread).float())


def inverse_sparkles(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    centre = stream.uniform(0.25, 0.75, size=2) * len(image)
    own = _own(stream)
    count = stream.randint(50, 200)
    return InverseSparklesDraws(_one(centre).float(), _one(count), _one(_rays(own, count)).float())


def lines(stream: Stream, image: np.ndarray, level: Level) -> Draws:
    size = len(image)
    angle = stream.uniform(0, 2 * np.pi)
    spread = stream.uniform(0.1, 1)
    own = _own(stream)
    each = own.uniform(size=(int(level[0] / 10 * size), 3))
    return LinesDraws(_one(size * each[:, :2]), _one(angle + 2 * np.pi * spread * (each[:, 2] - 0.5)))


def _own(stream: Stream) -> Stream:
    """The stream of its own that the source seeds with one drawn integer."""
    return np.random.RandomState(stream.randint(0, 2**32, dtype=np.int64))


def _phases(own: Stream, image: np.ndarray) -> np.ndarray:
    left = own.uniform(0, 2 * np.pi, size=(len(image), len(image) // 2))
    return np.concatenate((left, left[::-1, ::-1]), axis=1)


def _rays(own: Stream, count: int) -> np.ndarray:
    return np.concatenate((own.randn(count), np.zeros(199 - count)))


def _one(value: object) -> Tensor:
    """The draw as that of a batch of one."""
    return torch.from_numpy(np.asarray(value))[None]


REPLAYS: dict[str, Callable[[Stream, np.ndarray, Level], Draws]] = {
    "blue_noise_sample": blue_noise_sample,
    "brownish_noise": brownish_noise,
    "checkerboard_cutout": checkerboard_cutout,
    "cocentric_sine_waves": cocentric_sine_waves,
    "inverse_sparkles": inverse_sparkles,
    "lines": lines,
    "perlin_noise": perlin_noise,
    "plasma_noise": plasma_noise,
    "single_frequency_greyscale": single_frequency_greyscale,
    "sparkles": sparkles,
}
