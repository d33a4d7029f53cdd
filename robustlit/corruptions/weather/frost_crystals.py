"""Frost drawn by this project: ferns of ice that branch twice at the 60° of water's crystals, over a hazy pane."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, uniform
from robustlit.corruptions.ops.gaussian import gaussian_blur
from robustlit.corruptions.ops.plasma import plasma, plasma_draws, plasma_size

__all__ = ["STYLES", "Style", "frosted_pane"]

HEIGHT, WIDTH = 420, 640  # pixels of a pane
_SIXTY = math.pi / 3
_STEP = 0.7  # pixels between the points that a needle is drawn from


@dataclass(frozen=True)
class Style:
    """How one pane looks.

    Args:
        ferns: How many stems grow.
        length: Of the longest stems, in pixels.
        spacing: Between the branches of a stem, in pixels.
        spread: Length of the branches as a share of their stem's.
        grain: Share of fine grains of ice in the contrast.
        haze: Share of the slowly varying haze in the contrast.
        color: Mean of red, green and blue, 0 to 255.
        contrast: Standard deviation of red, green and blue, 0 to 255.
    """

    ferns: int
    length: float
    spacing: float
    spread: float
    grain: float
    haze: float
    color: tuple[float, float, float]
    contrast: tuple[float, float, float]


# mean colours and contrasts are near those of the five published photographs, so that the effect on images is too
STYLES = (
    Style(14, 420.0, 9.0, 0.30, 0.25, 0.9, (80.0, 147.0, 165.0), (27.0, 19.0, 17.0)),
    Style(60, 190.0, 8.0, 0.34, 0.35, 0.6, (199.0, 205.0, 214.0), (22.0, 22.0, 22.0)),
    Style(300, 75.0, 6.0, 0.4, 0.35, 0.6, (202.0, 206.0, 214.0), (21.0, 22.0, 22.0)),
    Style(70, 240.0, 12.0, 0.18, 0.35, 0.7, (138.0, 153.0, 165.0), (29.0, 29.0, 30.0)),
    Style(130, 110.0, 7.0, 0.36, 0.2, 0.7, (112.0, 123.0, 135.0), (44.0, 43.0, 42.0)),
)


def frosted_pane(style: Style, seed: int) -> Tensor:
    """Return one frosted pane, float32 3×HEIGHT×WIDTH of whole grey levels, always the same for a seed.

    Args:
        style: How it looks.
        seed: Which pane of this style.
    """
    seeds = torch.tensor([seed])
    small = replace(style, ferns=5 * style.ferns, length=0.45 * style.length, spacing=0.75 * style.spacing)
    ferns = torch.maximum(_ferns(style, fold(seeds, "near")), 0.6 * _ferns(small, fold(seeds, "far")))
    ice = gaussian_blur(ferns[None, None], 0.55)
    glow = gaussian_blur(ice, 4.0)
    ice, glow = ice[0, 0], glow[0, 0]
    relief = ice.roll((1, 1), (0, 1)) - ice.roll((-1, -1), (0, 1))  # lit from one corner
    crystals = _standard(_standard(ice) + 0.5 * _standard(glow) + 0.5 * _standard(relief))
    pane = crystals + style.haze * _haze(seeds) + style.grain * _grain(seeds)
    tones = _standard(pane).clamp(-2.5, 2.8)
    color, contrast = (torch.tensor(part)[:, None, None] for part in (style.color, style.contrast))
    return (color + contrast * _standard(tones)).round_().clamp_(0, 255)


@dataclass(frozen=True)
class _Strokes:
    """Straight needles of ice: where each begins, its direction in radians, its length in pixels and its weight."""

    row: Tensor
    column: Tensor
    angle: Tensor
    length: Tensor
    weight: Tensor


def _ferns(style: Style, seeds: Tensor) -> Tensor:
    """Grow stems, branches and twigs, and return how much ice lies at each pixel."""
    stems, branches = _stems(style, fold(seeds, "stems"), fold(seeds, "branches"))
    twigs = _twigs(branches, style.spacing * 0.6, fold(seeds, "twigs"))
    return torch.stack([_drawn(strokes) for strokes in (stems, branches, twigs)]).amax(0)


def _stems(style: Style, seeds: Tensor, branch_seeds: Tensor) -> tuple[_Strokes, _Strokes]:
    """Return curved stems, piece by piece, and the branches on both sides of every piece."""
    chance = uniform(seeds, (6, style.ferns, 1))[0]
    steps = int(style.length / style.spacing)
    along = torch.arange(1, steps + 1) / steps
    length = style.length * (0.3 + 0.7 * chance[0])
    pace = (length / steps).expand(-1, steps)
    angle = 2 * math.pi * chance[1] + (chance[2] - 0.5) * 1.6 * along
    row = chance[3] * HEIGHT + (pace * angle.sin()).cumsum(1) - pace * angle.sin()
    column = chance[4] * WIDTH + (pace * angle.cos()).cumsum(1) - pace * angle.cos()
    weight = (0.35 + 0.65 * chance[5]).expand(-1, steps)
    reach = length * style.spread * (1 - along) ** 0.8 * (along * 6).clamp(max=1)
    stems = _Strokes(*(part.flatten() for part in (row, column, angle, pace, 1.5 * weight * (1.1 - along))))
    return stems, _forked(stems, reach.flatten(), 0.8 * weight.flatten(), branch_seeds)


def _twigs(branches: _Strokes, spacing: float, seeds: Tensor) -> _Strokes:
    """Return the twigs on both sides of every branch, one pair each ``spacing`` pixels."""
    owner, place = _ragged((branches.length / spacing).floor().long())
    distance = (place + 0.7) * spacing
    angle, length = branches.angle[owner], branches.length[owner]
    row = branches.row[owner] + distance * angle.sin()
    column = branches.column[owner] + distance * angle.cos()
    reach = (length - distance).clamp(min=0) * 0.35
    return _forked(
        _Strokes(row, column, angle, length, branches.weight[owner]), reach, 0.6 * branches.weight[owner], seeds
    )


def _forked(parents: _Strokes, length: Tensor, weight: Tensor, seeds: Tensor) -> _Strokes:
    """Return a needle to each side at the beginning of every parent."""
    jitter = uniform(seeds, (4, len(length)))[0]
    angle = torch.cat((parents.angle + _SIXTY, parents.angle - _SIXTY)) + 0.16 * (jitter[:2].flatten() - 0.5)
    length = length.repeat(2) * (0.35 + 0.8 * jitter[2:].flatten())
    return _Strokes(parents.row.repeat(2), parents.column.repeat(2), angle, length, weight.repeat(2))


def _drawn(strokes: _Strokes) -> Tensor:
    """Return HEIGHT×WIDTH with each needle's weight along it, fading to its tip, shared out bilinearly."""
    owner, place = _ragged((strokes.length / _STEP).ceil().long())
    distance = place * _STEP
    row = strokes.row[owner] + distance * strokes.angle.sin()[owner]
    column = strokes.column[owner] + distance * strokes.angle.cos()[owner]
    weight = strokes.weight[owner] * (1.1 - distance / strokes.length[owner])
    top, left = row.floor(), column.floor()
    ice = torch.zeros(HEIGHT * WIDTH)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (1 - (row - top - down).abs()) * (1 - (column - left - right).abs())
        at_row, at_column = (top + down).long() % HEIGHT, (left + right).long() % WIDTH
        ice.scatter_reduce_(0, at_row * WIDTH + at_column, weight * share, "amax")
    return ice.view(HEIGHT, WIDTH)


def _ragged(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for every item of every owner, the owner's index and the item's place with it."""
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner)) - (counts.cumsum(0) - counts)[owner]


def _haze(seeds: Tensor) -> Tensor:
    size = plasma_size(HEIGHT, WIDTH)
    return _standard(plasma(uniform(fold(seeds, "haze"), (plasma_draws(size),)), 1.9)[0, :HEIGHT, :WIDTH])


def _grain(seeds: Tensor) -> Tensor:
    return _standard(gaussian_blur(normal(fold(seeds, "grain"), (1, HEIGHT, WIDTH)), 0.6)[0, 0])


def _standard(field: Tensor) -> Tensor:
    return (field - field.mean()) / field.std()
