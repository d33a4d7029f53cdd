"""The pictures of frost that crops are taken from, ready on a device and at one scale."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.weather.frost_crystals import STYLES, frosted_pane
from robustlit.corruptions.weather.frost_files import photographs

__all__ = ["FrostTextures", "frost_textures", "resized"]


@dataclass(frozen=True)
class FrostTextures:
    """Pictures of frost of different sizes, one behind the other.

    Args:
        pixels: Float 3×P in [0, 1].
        starts: int64, where each picture's pixels begin.
        heights: int64, in pixels.
        widths: int64, likewise.
    """

    pixels: Tensor
    starts: Tensor
    heights: Tensor
    widths: Tensor

    def crops(self, pictures: Tensor, tops: Tensor, lefts: Tensor, height: int, width: int) -> Tensor:
        """Return N×3×height×width, one crop for each of N picture numbers and corners."""
        stride = self.widths[pictures]
        corners = self.starts[pictures] + tops * stride + lefts
        rows = torch.arange(height, device=pictures.device) * stride[:, None] + corners[:, None]
        places = (rows[:, :, None] + torch.arange(width, device=pictures.device)).flatten()
        crops = [plane.take(places).view(-1, height, width) for plane in self.pixels]
        return torch.stack(crops, 1)


def frost_textures(source: str, scale: float, height: int, width: int, device: torch.device) -> FrostTextures:
    """Return the pictures of a source for images of a size; they are made once and kept.

    Args:
        source: "procedural", "imagecorruptions" or a folder, as for ``Frost``.
        scale: By which they are shrunk.
        height: Of the images; a picture that does not exceed them is enlarged until it does.
        width: Likewise.
        device: Where to keep them.

    Raises:
        ValueError: If the source cannot be read; see ``photographs``.
    """
    smallest = _scaled(source, scale)
    small = any(part.shape[1] <= height or part.shape[2] <= width for part in smallest)
    return _kept(source, scale, height if small else 0, width if small else 0, device)


def resized(picture: Tensor, factor: float) -> Tensor:
    """Resize bilinearly without smoothing, as OpenCV's ``resize`` by a factor does.

    Args:
        picture: Float 3×H×W of whole grey levels, 0 to 255.
        factor: > 0.

    Returns:
        3×h×w, each side rounded to whole pixels, of whole grey levels.
    """
    for axis in (1, 2):
        length = picture.shape[axis]
        places = (torch.arange(round(length * factor), dtype=torch.float64) + 0.5) / factor - 0.5
        below = places.clamp(0, length - 1).floor()
        share = (places - below).clamp(0, 1).float()
        first = picture.index_select(axis, below.long())
        second = picture.index_select(axis, (below + 1).clamp(max=length - 1).long())
        picture = torch.lerp(first, second, share[:, None] if axis == 1 else share)
    return picture.round()


@cached_tensors(4)
def _pictures(source: str) -> tuple[Tensor, ...]:
    if source == "procedural":
        return tuple(frosted_pane(style, seed) for seed, style in enumerate(STYLES))
    return tuple(photographs(source))


@cached_tensors(8)
def _scaled(source: str, scale: float) -> tuple[Tensor, ...]:
    return tuple(_pictures(source) if scale == 1 else (resized(picture, scale) for picture in _pictures(source)))


@cached_tensors(16)
def _kept(source: str, scale: float, height: int, width: int, device: torch.device) -> FrostTextures:
    pictures = [_covering(picture, height, width) for picture in _scaled(source, scale)]
    heights, widths = (torch.tensor([picture.shape[axis] for picture in pictures]) for axis in (1, 2))
    sizes = heights * widths
    pixels = torch.cat([picture.flatten(1) for picture in pictures], 1) / 255
    return FrostTextures(*(part.to(device) for part in (pixels, sizes.cumsum(0) - sizes, heights, widths)))


def _covering(picture: Tensor, height: int, width: int) -> Tensor:
    factor = max((height + 1) / picture.shape[1], (width + 1) / picture.shape[2])
    return resized(picture, factor) if factor > 1 else picture
