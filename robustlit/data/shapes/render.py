"""One picture of the shapes data set out of what it should show and a seed."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from robustlit.core.random import mix
from robustlit.data.shapes.backgrounds import BACKGROUNDS, background
from robustlit.data.shapes.patterns import Plane
from robustlit.data.shapes.silhouettes import SHAPES, coverage
from robustlit.data.shapes.textures import TEXTURES, texture

__all__ = ["VERSION", "Content", "render"]

#: Raise by one whenever the same seed gives another picture, so that no old cache is read.
VERSION = 1

_SHAPE_NAMES, _TEXTURE_NAMES, _BACKGROUND_NAMES = tuple(SHAPES), tuple(TEXTURES), tuple(BACKGROUNDS)


@dataclass(frozen=True)
class Content:
    """What a picture shows: indices into the shapes, textures and backgrounds."""

    shape: int
    texture: int
    background: int


def render(content: Content, seed: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one picture.

    Place, scale, rotation, colours and light depend on ``seed`` alone, so two pictures with the same seed and different
    textures differ in the texture and in nothing else.

    Args:
        content: What to show.
        seed: Any non-negative integer.
        size: Side of the picture, in pixels. The same seed gives the same scene at every size.

    Returns:
        The image, uint8 of shape size×size×3, and the object's true silhouette, bool of shape size×size: the pixels
        that the object covers by more than half.
    """
    rng = _generator(seed, "scene")
    x, y = _grid(size)
    radius = rng.uniform(0.21, 0.35)
    place = rng.uniform(radius + 0.02, 0.98 - radius), rng.uniform(radius + 0.02, 0.98 - radius)
    cover = coverage(SHAPES[_SHAPE_NAMES[content.shape]], size, place, radius, rng.uniform(0, 2 * np.pi))
    ground, paint = _colours(rng)
    light = _light(rng, x, y)

    behind = background(_BACKGROUND_NAMES[content.background], _generator(seed, "background"), x, y)
    left, above = x - (place[0] - 0.5), y - (place[1] - 0.5)
    inside = texture(_TEXTURE_NAMES[content.texture], _generator(seed, "texture"), left, above)
    image = _blend(ground, behind)
    image += (_blend(paint, inside) - image) * cover[..., None]
    image *= light[..., None]
    return np.clip(image, 0, 255, out=image).astype(np.uint8), cover > 0.5


def _generator(seed: int, purpose: str) -> Generator:
    return Generator(PCG64(mix(seed, purpose)))


@cache
def _grid(size: int) -> tuple[Plane, Plane]:
    """Pixel centres, in sides of the picture from its middle."""
    ticks = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    x, y = np.meshgrid(ticks, ticks)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


def _colours(rng: Generator) -> tuple[Plane, Plane]:
    """Draw two colours of the background and two of the object, each 2×3 in [0, 255].

    The object's two tones are brighter and darker than the background by a margin, so the object is visible, yet its
    mean brightness tells nothing: the silhouette has to be found by its texture. Hues are independent.
    """
    ground, spread = rng.uniform(0.38, 0.62), rng.uniform(0.05, 0.09)
    tones = [ground - rng.uniform(0.25, 0.36), ground + rng.uniform(0.25, 0.36)]
    if rng.random() < 0.5:
        tones.reverse()
    luma = np.array([ground - spread, ground + spread, *tones])
    chroma = rng.uniform((0.02, 0.02, 0.05, 0.05), (0.14, 0.14, 0.25, 0.25))
    hue = rng.uniform(0, 2 * np.pi, size=4)
    hue[1] = hue[0] + rng.uniform(-0.8, 0.8)  # the two colours of a background are neighbours
    blue, red = chroma * np.cos(hue), chroma * np.sin(hue)
    rgb = np.stack([luma + 1.14 * red, luma - 0.395 * blue - 0.581 * red, luma + 2.03 * blue], axis=1)  # YUV
    rgb = (np.clip(rgb, 0, 1) * 255).astype(np.float32)
    return rgb[:2], rgb[2:]


def _light(rng: Generator, x: Plane, y: Plane) -> Plane:
    """Draw a brightness factor a pixel: an overall gain and a slope towards the light."""
    angle, slope, gain = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5), rng.uniform(0.75, 1.1)
    return gain * (1 + x * (slope * math.cos(angle)) + y * (slope * math.sin(angle)))


def _blend(colours: Plane, share: Plane) -> Plane:
    blend: Plane = colours[0] + share[..., None] * (colours[1] - colours[0])
    return blend
