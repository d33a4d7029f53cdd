"""Colours that keep their order and their difference for colour-blind readers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustlit.panels.text import INK, PAPER, Color

__all__ = ["LINES", "ink_on", "viridis"]

# After Okabe and Ito 2008, darkened so that thin letters can be read on paper
LINES: tuple[Color, ...] = ((0, 114, 178), (201, 86, 0), (0, 128, 94), (176, 84, 138), (60, 60, 66), (140, 110, 0))

# Eleven anchors of matplotlib's map of that name (van der Walt and Smith 2015): even steps in lightness
_VIRIDIS = np.array(
    [
        (68, 1, 84),
        (72, 36, 117),
        (65, 68, 135),
        (53, 95, 141),
        (42, 120, 142),
        (33, 145, 140),
        (34, 168, 132),
        (68, 191, 112),
        (122, 209, 81),
        (189, 223, 38),
        (253, 231, 37),
    ]
)


def viridis(values: ArrayLike) -> NDArray[np.uint8]:
    """Return a colour a value: dark violet at 0, green, yellow at 1.

    Args:
        values: Numbers of any shape; those outside [0, 1] have the colour of the nearer end.

    Returns:
        uint8 of the same shape and 3 channels more.

    Example:
        >>> viridis([0.0, 1.0]).tolist()
        [[68, 1, 84], [253, 231, 37]]
    """
    values = np.asarray(values, dtype=float)
    places = np.linspace(0, 1, len(_VIRIDIS))
    channels = [np.interp(values, places, _VIRIDIS[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def ink_on(color: ArrayLike) -> Color:
    """Return the colour, light or dark, in which letters can be read on this one."""
    luminance = np.asarray(color, dtype=float) @ (0.299, 0.587, 0.114)
    return INK if luminance > 108 else PAPER
