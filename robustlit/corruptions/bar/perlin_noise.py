"""``perlin_noise``: grey turbulence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, uniform
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["PerlinNoise", "PerlinNoiseDraws", "perlin_noise", "turbulence"]

_SHARE = 0.05  # a unit of the published number
_TABLE = 256  # gradients, after which the lattice repeats
_OCTAVES = (1, 2, 4, 8, 16)
_CELLS = 7  # lattice cells along the shorter side, in the first octave


def perlin_noise(images: Tensor, noise: Tensor, share: float) -> Tensor:
    """Blend towards grey turbulence.

    Args:
        images: N×C×H×W in [0, 1].
        noise: N×H×W, of ``turbulence``.
        share: Of the turbulence, 0 to 1.
    """
    grey = (0.5 * noise + 0.5).clamp_(0, 1)
    return (1 - share) * images + share * grey.unsqueeze(1)


def turbulence(height: int, width: int, gradients: Tensor, permutation: Tensor) -> Tensor:
    """Return the sum over five octaves f of abs(gradient noise at f times the frequency) / f, N×H×W.

    Args:
        height: Of the image; seven cells of the first octave fill the shorter side.
        width: Likewise.
        gradients: N×256×2 along rows and columns, of unit length.
        permutation: N×256, int64, which spreads them over the lattice.
    """
    size = min(height, width)
    total = gradients.new_zeros(gradients.shape[0], height, width)
    for octave in _OCTAVES:
        total += (
            _gradient_noise(
                _lattice(height, size, octave, gradients.device),
                _lattice(width, size, octave, gradients.device),
                gradients,
                permutation,
            ).abs_()
            / octave
        )
    return total


def _gradient_noise(
    rows: tuple[Tensor, Tensor, Tensor, int],
    columns: tuple[Tensor, Tensor, Tensor, int],
    gradients: Tensor,
    permutation: Tensor,
) -> Tensor:
    """Perlin's noise, N×H×W, times 1.5; interpolated along the columns on the lattice's rows first."""
    row, row_past, row_fade, row_count = rows
    column, column_past, column_fade, column_count = columns
    down, right = _on_lattice(row_count + 1, column_count + 1, gradients, permutation)
    # a corner's ramp at (y, x) is down·(y - corner row) + right·(x - corner column): two planes, one times y
    slope = torch.lerp(down[:, :, column], down[:, :, column + 1], column_fade)
    level = torch.lerp(right[:, :, column] * column_past, right[:, :, column + 1] * (column_past - 1), column_fade)
    above = level[:, row].addcmul_(slope[:, row], row_past[:, None])
    below = level[:, row + 1].addcmul_(slope[:, row + 1], row_past[:, None] - 1)
    return torch.lerp(above, below, row_fade[:, None]).mul_(1.5)


def _on_lattice(row_count: int, column_count: int, gradients: Tensor, permutation: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients' two components at every lattice point, N×rows×columns each."""
    rows = permutation[:, torch.arange(row_count, device=permutation.device) % _TABLE]
    columns = torch.arange(column_count, device=permutation.device)
    index = permutation.gather(1, ((rows[:, :, None] + columns) % _TABLE).flatten(1))
    chosen = gradients.gather(1, index[..., None].expand(-1, -1, 2)).view(-1, row_count, column_count, 2)
    return chosen[..., 0], chosen[..., 1]


@cached_tensors(32)
def _lattice(length: int, size: int, octave: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, int]:
    """For every pixel of an axis: its cell, how far into it, the fade there; and the number of cells."""
    place = torch.arange(length, dtype=torch.float64) * (octave * _CELLS / size)
    cell = place.floor()
    past = (place - cell).to(device, torch.float32)
    return cell.long().to(device), past, past**2 * (3 - 2 * past), int(cell[-1]) + 1


@dataclass(frozen=True)
class PerlinNoiseDraws(Draws):
    """The noise's tables.

    Args:
        gradients: N×256×2, of unit length.
        permutation: N×256, int64.
    """

    gradients: Tensor
    permutation: Tensor


class PerlinNoise(Corruption[PerlinNoiseDraws]):
    """The image is blended with grey turbulence: five octaves of Perlin's gradient noise.

    Source: Mintun et al. 2021, after Perlin, "An Image Synthesizer" (1985). A level is the source's own number; the
    noise's share is 0.05 times it. For sizes other than the published 224×224 the noise scales with the shorter side.

    Example:
        >>> from robustlit.corruptions import corrupt
        >>> corrupt(torch.full((1, 3, 32, 32), 0.5), "perlin_noise", 1).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "perlin_noise"
    levels: ClassVar[Mapping[str, Sequence[Level]]] = {"imagenet": ((4.6,), (5.2,), (5.8,), (7.6,), (8.8,))}

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> PerlinNoiseDraws:
        """Draw the tables."""
        # as published: points of a 512×512 grid over a square, so that the diagonals are a little more likely
        points = (512 * uniform(fold(seeds, "gradients"), (_TABLE, 2))).floor_() - 256
        lengths = points.norm(dim=-1, keepdim=True).clamp_min_(1)
        permutation = uniform(fold(seeds, "permutation"), (_TABLE,)).argsort(dim=1, stable=True)
        return PerlinNoiseDraws(points / lengths, permutation)

    def change(self, images: Tensor, draws: PerlinNoiseDraws, level: Level) -> Tensor:
        """Make the turbulence and blend."""
        noise = turbulence(images.shape[-2], images.shape[-1], draws.gradients, draws.permutation)
        return perlin_noise(images, noise, _SHARE * level[0])
