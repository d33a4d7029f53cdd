"""Maps of explanations as pictures: heat, a glow over the image, the difference of two."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.colormap import colored, signed_colors
from robustlit.panels.grid import display_size
from robustlit.panels.text import GREY, PAPER, Picture, letters, text_strip

__all__ = ["difference", "glow", "hatched", "heat", "strongest"]

_CLIP = 0.99  # share of a heat map's pixels below the brightest colour
_OPACITY = 0.85
_HATCH = (196, 199, 204)
_EMPTY = (243, 243, 245)


def heat(maps: Tensor) -> list[Picture]:
    """Return maps of pixels, such as saliency, in viridis, each up to its 99th percentile; signed ones around grey.

    Args:
        maps: N×H×W, raw values. A map of zeros is hatched.

    Returns:
        N pictures at the display size of the images, pixels as sharp squares.
    """
    size = display_size(*maps.shape[-2:])
    values = maps.detach().float()
    top = _quantile(values.abs())
    scaled = values / top.clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
    shown = _resized(scaled, size, smooth=False)
    signed = (values < 0).flatten(1).any(1)[:, None, None, None]
    return _pictures(torch.where(signed, signed_colors(shown), colored(shown)), _zero(maps))


def glow(images: Tensor, maps: Tensor, top: Tensor | None = None) -> list[Picture]:
    """Lay the positive part of maps over the grey image, the stronger the more opaque, with a line at half the top.

    Args:
        images: Float N×C×H×W in [0, 1].
        maps: N×H×W, raw values. A map without any positive value is hatched.
        top: The value of the brightest colour, of shape N; by default each map's own largest.

    Returns:
        N pictures at the display size of the images.
    """
    size = display_size(*images.shape[-2:])
    top = strongest(maps) if top is None else top
    values = maps.detach().float().clamp(min=0) / top.clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
    shown = _resized(values, size, smooth=True).clamp(0, 1)
    grey = _resized(images.detach().float().mean(1), size, smooth=False).clamp(0, 1).mul(200).add(40)[..., None]
    opacity = _OPACITY * shown[..., None]
    blended = grey * (1 - opacity) + colored(shown) * opacity
    line = _edges(shown > 0.5)[..., None]
    return _pictures(
        torch.where(line, torch.full_like(blended, 255), blended).round().to(torch.uint8), strongest(maps) <= 0
    )


def difference(before: Tensor, after: Tensor) -> list[Picture]:
    """Return what maps gained (orange) and lost (blue), both on the scale of the larger; grey where nothing changed.

    Args:
        before: N×H×W.
        after: The same of other images.
    """
    size = display_size(*before.shape[-2:])
    top = torch.maximum(strongest(before), strongest(after))
    change = (after.detach().float() - before.detach().float()) / top.clamp(min=torch.finfo(torch.float32).tiny)[
        :, None, None
    ]
    return _pictures(signed_colors(_resized(change, size, smooth=True)), _zero(before) & _zero(after))


def strongest(maps: Tensor) -> Tensor:
    """Return the largest value of each map, of shape N."""
    return maps.detach().float().flatten(1).amax(1)


def hatched(height: int, width: int, words: str = "no evidence") -> Picture:
    """Return what stands where a map has nothing to show: diagonal lines and words."""
    rows, columns = np.indices((height, width))
    step = max(6, height // 16)
    sheet = np.where(((rows + columns) % step < max(1, step // 5))[..., None], np.array(_HATCH), np.array(_EMPTY))
    sheet = sheet.astype(np.uint8)
    size = min(letters(4 * width), max(9, width // 7))
    strip = text_strip(words, width, color=GREY, size=size, centered=True)[:height]
    top = (height - len(strip)) // 2
    sheet[top : top + len(strip)] = np.where(strip < PAPER[0] - 40, strip, np.array(_EMPTY))
    return sheet


def _pictures(colors: Tensor, empty: Tensor) -> list[Picture]:
    """Bring finished uint8 pictures to the host, hatched where there is nothing to see."""
    found: Sequence[Picture] = list(colors.cpu().numpy())
    return [
        hatched(*picture.shape[:2]) if nothing else picture
        for picture, nothing in zip(found, empty.tolist(), strict=True)
    ]


def _quantile(values: Tensor) -> Tensor:
    """Return the value that a share of the pixels is below, of shape N; the largest where that value is zero."""
    flat = values.flatten(1)
    place = max(1, round(_CLIP * flat.shape[1]))
    found = flat.kthvalue(place, dim=1).values
    return torch.where(found > 0, found, flat.amax(1))


def _zero(maps: Tensor) -> Tensor:
    return (maps == 0).flatten(1).all(1)


def _resized(values: Tensor, size: tuple[int, int], *, smooth: bool) -> Tensor:
    shrink = size[0] < values.shape[-2]
    mode = "area" if shrink else "bilinear" if smooth else "nearest"
    corners = False if mode == "bilinear" else None
    return F.interpolate(values[:, None], size, mode=mode, align_corners=corners)[:, 0]


def _edges(inside: Tensor) -> Tensor:
    edges = torch.zeros_like(inside)
    edges[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    edges[:, :, 1:] |= inside[:, :, 1:] != inside[:, :, :-1]
    return edges
