"""Class masks over pictures."""

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from robustlit.panels.text import INK, PAPER, Picture, letters, text_strip, text_width, wrapped

__all__ = ["legend", "mark", "outline", "overlay", "palette"]

_GAP = 14
_OPACITY = 0.6


def palette(count: int) -> Picture:
    """Return one colour a class, neighbours far apart in hue and lightness; always the same for the same class.

    Returns:
        uint8 of shape count×3.
    """
    colors = [
        colorsys.hls_to_rgb((0.58 + index * 0.381966) % 1, (0.5, 0.68, 0.34)[index % 3], (0.75, 0.65, 0.7)[index % 3])
        for index in range(count)
    ]
    return np.round(np.array(colors).reshape(count, 3) * 255).astype(np.uint8)


def overlay(picture: Picture, mask: NDArray[np.int64], colors: Picture) -> Picture:
    """Lay class colours over a picture, with a dark line where classes meet.

    Args:
        picture: H×W×3.
        mask: Class indices H×W; pixels outside 0…count-1, such as the ignored ones, stay as they are.
        colors: One colour a class, count×3.

    Returns:
        A new picture H×W×3.
    """
    valid = (mask >= 0) & (mask < len(colors))
    tint = colors[np.where(valid, mask, 0)]
    blended = np.where(valid[..., None], (1 - _OPACITY) * picture + _OPACITY * tint, picture)
    return np.where(_edges(mask)[..., None], np.array(INK), np.round(blended)).astype(np.uint8)


def outline(picture: Picture, mask: NDArray[np.int64]) -> Picture:
    """Draw a light line on a dark one where classes meet; the picture stays as it is elsewhere.

    Args:
        picture: H×W×3.
        mask: Class indices H×W.

    Returns:
        A new picture H×W×3.
    """
    line = _edges(mask)
    dark = line.copy()
    dark[:-1] |= line[1:]
    dark[:, :-1] |= line[:, 1:]
    shown = np.where(dark[..., None], np.array(INK), picture)
    return np.where(line[..., None], np.array(PAPER), shown).astype(np.uint8)


def mark(picture: Picture, wrong: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> Picture:
    """Show where a prediction is wrong: red on a faded grey picture; ignored pixels are white.

    Args:
        picture: H×W×3.
        wrong: Pixels to show red, H×W.
        ignored: Pixels to leave out, H×W.

    Returns:
        A new picture H×W×3.
    """
    grey = picture.mean(axis=2, keepdims=True) * 0.45 + 110
    shown = np.where(wrong[..., None], np.array((214, 39, 40)), grey)
    return np.where(ignored[..., None], np.array(PAPER), shown).astype(np.uint8)


def legend(names: Sequence[str], colors: Picture, width: int) -> Picture:
    """List names with their colours, in as many lines as the width needs.

    Args:
        names: One name a colour.
        colors: uint8 of shape count×3.
        width: Width of the picture in pixels.
    """
    size = letters(width)
    swatch = size - 1
    lines = []
    for positions in wrapped(list(names), width - _GAP, extra=swatch + _GAP + 6, size=size):
        line = np.full((size + max(7, size // 2), width, 3), PAPER, dtype=np.uint8)
        left = 6
        for position in positions:
            length = min(text_width(names[position], size), width - left - swatch - 6)
            text = text_strip(names[position], length, size=size)
            line[3 : 3 + swatch, left : left + swatch] = colors[position]
            left += swatch + 6
            line[: len(text), left : left + text.shape[1]] = text
            left += text.shape[1] + _GAP
        lines.append(line)
    return np.concatenate(lines)


def _edges(mask: NDArray[np.int64]) -> NDArray[np.bool_]:
    edges = np.zeros(mask.shape, dtype=bool)
    edges[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    edges[1:] |= mask[1:] != mask[:-1]
    return edges
