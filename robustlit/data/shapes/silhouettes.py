"""The ten outlines that make the classes of the shapes data set, and how much of each pixel they cover."""

import math

import numpy as np
from numpy.typing import NDArray

from robustlit.data.shapes.patterns import Plane

__all__ = ["SHAPES", "coverage"]

Outline = NDArray[np.float64]  # K×2 corner points, x to the right and y down, within the unit circle

_SUPERSAMPLING = 4  # outlines are filled on a grid this many times finer, then averaged
_SUBPIXEL_BITS = 4


def coverage(
    outlines: tuple[Outline, ...], size: int, centre: tuple[float, float], radius: float, angle: float
) -> Plane:
    """Return how much of each pixel a placed outline covers.

    Args:
        outlines: One of :data:`SHAPES`. Where outlines overlap there is a hole.
        size: Side of the square picture, in pixels.
        centre: Place of the outline's origin as (x, y), in sides of the picture.
        radius: Length of the outline's unit, in sides of the picture.
        angle: Rotation in radians.

    Returns:
        float32 of shape size×size, in [0, 1].

    Example:
        >>> disc = coverage(SHAPES["disc"], 64, (0.5, 0.5), 0.25, 0.0)  # the disc's radius is 0.85
        >>> bool(abs(disc.sum() / (math.pi * (0.85 * 16) ** 2) - 1) < 0.03)
        True
    """
    import cv2

    fine = size * _SUPERSAMPLING
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = [((outline @ turn) * radius + centre) * fine - 0.5 for outline in outlines]
    canvas = np.zeros((fine, fine), dtype=np.uint8)
    points = [np.rint(corner * (1 << _SUBPIXEL_BITS)).astype(np.int32) for corner in corners]
    cv2.fillPoly(canvas, points, color=(255,), shift=_SUBPIXEL_BITS)
    cover: Plane = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    cover /= 255
    return cover


def _points(*corners: tuple[float, float]) -> Outline:
    return np.array(corners, dtype=np.float64)


def _arc(radius: float, start: float = 0.0, stop: float = 360.0, centre: tuple[float, float] = (0.0, 0.0)) -> Outline:
    """Points along a circle, from one angle in degrees to another, y down."""
    angles = np.radians(np.linspace(start, stop, 72))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre


def _star(tips: int, inner: float) -> Outline:
    angles = np.arange(2 * tips) * math.pi / tips - math.pi / 2
    radii = np.where(np.arange(2 * tips) % 2 == 0, 1.0, inner)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)


def _heart() -> Outline:
    t = np.linspace(0, 2 * math.pi, 72)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y - 2.5], axis=1) / 16


def _crescent() -> Outline:
    """A disc less a second disc of 0.85 of its radius, cut along the circles' two crossings."""
    inner, shift = 0.85, 0.55
    x = (1 - inner**2 + shift**2) / (2 * shift)
    y = math.sqrt(1 - x**2)
    tip, bite = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(y, x - shift))
    middle = (-0.25, 0.0)  # of what is left of the disc
    return np.concatenate([_arc(1.0, tip, 360 - tip), _arc(inner, 360 - bite, bite, (shift, 0.0))]) - middle


def _sized(*outlines: Outline, radius: float = 1.0) -> tuple[Outline, ...]:
    """Scale outlines so that the farthest corner is ``radius`` away from the origin."""
    farthest = max(float(np.hypot(*outline.T).max()) for outline in outlines)
    return tuple(outline * (radius / farthest) for outline in outlines)


#: The classes, in the order of their indices. Every outline lies within the unit circle.
SHAPES: dict[str, tuple[Outline, ...]] = {
    "disc": _sized(_arc(1.0), radius=0.85),
    "square": _sized(_points((-1, -1), (1, -1), (1, 1), (-1, 1))),
    "triangle": _sized(_star(3, 0.5)),
    "star": _sized(_star(5, 0.42)),
    "cross": _sized(
        _points(
            *((-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1)),
            *((1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)),
        ),
    ),
    "ring": _sized(_arc(1.0), _arc(0.5), radius=0.92),
    "crescent": _sized(_crescent()),
    "heart": _sized(_heart(), radius=0.95),
    "arrow": _sized(_points((0, -1), (0.9, 0), (0.36, 0), (0.36, 1), (-0.36, 1), (-0.36, 0), (-0.9, 0))),
    "hourglass": _sized(_points((-0.75, -0.95), (0.75, -0.95), (0.14, 0), (0.75, 0.95), (-0.75, 0.95), (-0.14, 0))),
}
