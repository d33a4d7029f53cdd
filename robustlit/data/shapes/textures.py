"""The ten texture families that fill the objects of the shapes data set: crisp, two-tone, a few pixels wide.

A family is a function of coordinates counted in periods; it returns a plane in [0, 1] that mixes two colours.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from robustlit.data.shapes.patterns import Plane, edge, fraction, noise, rotated, stripes

__all__ = ["TEXTURES", "texture"]


def texture(name: str, rng: Generator, x: Plane, y: Plane) -> Plane:
    """Draw one texture, with a period, direction and phase of its own.

    Args:
        name: One of :data:`TEXTURES`.
        rng: Where the texture's numbers come from.
        x: Distance to the right of the object's centre, H×W, in sides of the picture.
        y: Distance below the object's centre, likewise.

    Returns:
        float32 of shape H×W in [0, 1]: 0 is the object's first colour, 1 its second.
    """
    period = rng.uniform(0.85, 1.2) * _PERIODS[name]
    u, v = rotated(x, y, rng.uniform(0, 2 * np.pi), period)
    width = min(1.2 / (len(x) * period), 0.5)  # a little over one pixel, in periods
    if name not in _CENTRED:
        u, v = u + rng.random(), v + rng.random()
    return TEXTURES[name](u, v, width, rng)


def _gratings(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    return stripes(u, width)


def _checks(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    a, b = stripes(u, width), stripes(v, width)
    return a + b - 2 * a * b


def _dots(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    across = fraction(u + 0.5 * np.floor(v)) - 0.5
    return edge(0.32 - np.hypot(across, fraction(v) - 0.5), width)


def _bricks(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    across = fraction(u * 0.5 + 0.5 * np.floor(v)) - 0.5
    joint = np.minimum(1 - 2 * np.abs(across), 0.5 - np.abs(fraction(v) - 0.5))
    return edge(joint - 0.13, width)


def _weave(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    upright = (np.floor(u) + np.floor(v)) % 2 == 0
    return stripes(np.where(upright, u, v) * 3, 3 * width, 0.6)


def _fractal(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    return edge(noise(rng, len(u), cells=10, octaves=3), 1.6)


def _zigzag(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    return stripes(v + np.abs(fraction(u * 0.7) - 0.5) * 2, 1.5 * width)


def _ripples(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    return stripes(np.hypot(u, v) + rng.random(), width)


def _scales(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    row, down = np.floor(2 * v), fraction(2 * v) / 2
    across = fraction(u + row / 2) - 0.5
    near = np.hypot(across, down)
    far = np.hypot(0.5 - np.abs(across), down + 0.5)
    depth = np.where(near < 0.5, near, far)  # distance from the middle of the scale that lies on top
    return edge(0.37 - depth, 2 * width)


def _rays(u: Plane, v: Plane, width: float, rng: Generator) -> Plane:
    radius = np.hypot(u, v)
    return stripes(np.arctan2(v, u) * (8 / (2 * np.pi)), width / (radius + width))


#: The families; family k is the partner of shape class k.
TEXTURES: dict[str, Callable[[Plane, Plane, float, Generator], Plane]] = {
    "gratings": _gratings,
    "checks": _checks,
    "dots": _dots,
    "bricks": _bricks,
    "weave": _weave,
    "fractal": _fractal,
    "zigzag": _zigzag,
    "ripples": _ripples,
    "scales": _scales,
    "rays": _rays,
}

#: Families that are drawn about the middle of the object; the others are shifted at random.
_CENTRED = ("ripples", "rays")

#: Period of each family, in sides of the picture.
_PERIODS = {
    "gratings": 0.095,
    "checks": 0.145,
    "dots": 0.105,
    "bricks": 0.105,
    "weave": 0.19,
    "fractal": 1.0,
    "zigzag": 0.115,
    "ripples": 0.095,
    "scales": 0.155,
    "rays": 0.1,
}
