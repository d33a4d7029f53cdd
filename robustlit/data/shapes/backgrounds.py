"""The ten background families of the shapes data set: softer, wider and paler than any object texture."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from robustlit.data.shapes.patterns import Plane, edge, fraction, noise, rotated

__all__ = ["BACKGROUNDS", "background"]


def background(name: str, rng: Generator, x: Plane, y: Plane) -> Plane:
    """Draw one background, with a direction and phase of its own.

    Args:
        name: One of :data:`BACKGROUNDS`.
        rng: Where the background's numbers come from.
        x: Distance to the right of the picture's middle, H×W, in sides of the picture.
        y: Distance below the picture's middle, likewise.

    Returns:
        float32 of shape H×W in [0, 1]: 0 is the background's first colour, 1 its second.
    """
    return BACKGROUNDS[name](x, y, rng)


def _slope(x: Plane, y: Plane, rng: Generator) -> Plane:
    u, _ = rotated(x, y, rng.uniform(0, 2 * np.pi), 1.4)
    return u + 0.5


def _glow(x: Plane, y: Plane, rng: Generator) -> Plane:
    x, y = x - rng.uniform(-0.35, 0.35), y - rng.uniform(-0.35, 0.35)
    hill: Plane = np.exp(-7 * (x * x + y * y))
    return hill


def _bands(x: Plane, y: Plane, rng: Generator) -> Plane:
    u, _ = rotated(x, y, rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.4))
    return _soft_wave(u + rng.random())


def _waves(x: Plane, y: Plane, rng: Generator) -> Plane:
    u, v = rotated(x, y, rng.uniform(-0.3, 0.3), rng.uniform(0.2, 0.26))
    bend = _soft_wave(u * 0.5 + rng.random())
    return _soft_wave(v + bend * 0.8)


def _blotches(x: Plane, y: Plane, rng: Generator) -> Plane:
    return edge(noise(rng, len(x), cells=4), 0.8)


def _clouds(x: Plane, y: Plane, rng: Generator) -> Plane:
    return edge(noise(rng, len(x), cells=3, octaves=4), 3.5)


def _grain(x: Plane, y: Plane, rng: Generator) -> Plane:
    return edge(noise(rng, len(x), cells=48), 5.0)


def _horizon(x: Plane, y: Plane, rng: Generator) -> Plane:
    tilt, height = rng.uniform(-0.25, 0.25), rng.uniform(-0.2, 0.2)
    below = y + tilt * x - height
    ground: Plane = edge(below, 0.03) * (1 - np.maximum(below, 0)) + 0.5 * np.maximum(-below, 0)
    return ground


def _streaks(x: Plane, y: Plane, rng: Generator) -> Plane:
    return edge(noise(rng, len(x), cells=40, stretch=20), 4.0)


def _quilt(x: Plane, y: Plane, rng: Generator) -> Plane:
    u, v = rotated(x, y, np.pi / 4 + rng.uniform(-0.2, 0.2), rng.uniform(0.24, 0.3))
    u, v = fraction(u + rng.random()) - 0.5, fraction(v + rng.random()) - 0.5
    folds: Plane = 1 - 2 * np.maximum(np.abs(u), np.abs(v))
    return folds


def _soft_wave(x: Plane) -> Plane:
    wave: Plane = 0.5 + 0.5 * np.sin(2 * np.pi * x)
    return wave


#: The families; family k is the partner of shape class k.
BACKGROUNDS: dict[str, Callable[[Plane, Plane, Generator], Plane]] = {
    "slope": _slope,
    "glow": _glow,
    "bands": _bands,
    "waves": _waves,
    "blotches": _blotches,
    "clouds": _clouds,
    "grain": _grain,
    "horizon": _horizon,
    "streaks": _streaks,
    "quilt": _quilt,
}
