"""What textures and backgrounds are drawn with: periodic waves, antialiased edges and smooth noise."""

import math
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Plane", "edge", "fraction", "noise", "rotated", "stripes"]

Plane = NDArray[np.floating[Any]]  # one number a pixel, H×W; float32 in practice, for speed


def rotated(x: Plane, y: Plane, angle: float, period: float) -> tuple[Plane, Plane]:
    """Return coordinates turned by ``angle`` radians and counted in periods instead of sides of the picture."""
    cos, sin = math.cos(angle) / period, math.sin(angle) / period
    return x * cos + y * sin, y * cos - x * sin


def fraction(x: Plane) -> Plane:
    """Return the part after the decimal point, in [0, 1), also of negative numbers."""
    return x - np.floor(x)


def edge(distance: Plane, width: float | Plane) -> Plane:
    """Return 1 where ``distance`` is positive and 0 where it is negative, with a ramp of ``width`` around 0."""
    ramp: Plane = np.clip(distance / width + 0.5, 0, 1)
    return ramp


def stripes(x: Plane, width: float | Plane, share: float = 0.5) -> Plane:
    """Return bright stripes one unit of ``x`` apart that take ``share`` of it, with edges of ``width``."""
    return edge(share / 2 - np.abs(fraction(x) - 0.5), width)


def noise(rng: Generator, size: int, cells: int, octaves: int = 1, stretch: int = 1) -> Plane:
    """Draw smooth noise: random numbers on a coarse lattice, enlarged; each octave is twice as fine and 0.6 as strong.

    Args:
        rng: Where the numbers come from; how many are drawn does not depend on ``size``.
        size: Side of the picture, in pixels.
        cells: Lattice cells along one side in the first octave.
        octaves: How many lattices are added up.
        stretch: How many times fewer cells there are from left to right, for streaks.

    Returns:
        float32 of shape size×size with mean 0 and standard deviation 1.
    """
    import cv2

    total = np.zeros((size, size), dtype=np.float32)
    for octave in range(octaves):
        rows = cells << octave
        lattice = rng.random((rows + 1, rows // stretch + 1), dtype=np.float32)
        total += 0.6**octave * cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)
    mean, deviation = cv2.meanStdDev(total)
    standard: Plane = (total - mean.item()) / max(deviation.item(), 1e-6)
    return standard
