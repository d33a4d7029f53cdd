"""PRIME's three primitives of maximum entropy: random diffeomorphisms, filters and colour curves, a sample each."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.augmentations.noise_field import normal_field, normal_window
from robustlit.core.cached import cached_tensors

__all__ = ["color_curves", "displacements", "filter_each", "remap", "temperatures"]

_LEVELS = 4 * 255 + 1  # places at which a colour curve is evaluated: every grey level of 8 bits, and three between


def color_curves(images: Tensor, weights: Tensor) -> Tensor:
    """Change every channel's values x by x + sum over k of weight_k · sin(pi·k·x), clipped to [0, 1].

    Values are rounded to a quarter of a grey level, so that a curve is evaluated once and not for every pixel.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        weights: Float32 N×C×K, of the frequencies 1 … K.

    Returns:
        Float32 N×C×H×W in [0, 1].
    """
    values, waves = _waves(weights.shape[2], images.device)
    on_cpu = images.device.type == "cpu"  # there one by one, so that a sample's curve is the same in any batch
    curves = torch.stack([weight @ waves for weight in weights]) if on_cpu else weights @ waves
    curves = curves.add_(values).clamp_(0, 1)
    offset = torch.arange(images.shape[0] * images.shape[1], dtype=torch.int32, device=images.device) * _LEVELS
    index = images.mul(_LEVELS - 1).round_().to(torch.int32).add_(offset.view(*images.shape[:2], 1, 1))
    return torch.index_select(curves.flatten(), 0, index.flatten()).view(images.shape)


def filter_each(images: Tensor, kernels: Tensor) -> Tensor:
    """Filter all channels of every image by its own kernel, zero beyond the border, and clip to [0, 1].

    Args:
        images: Float32 N×C×H×W.
        kernels: Float32 N×K×K, K odd.

    Returns:
        Float32 N×C×H×W in [0, 1].
    """
    edge = kernels.shape[-1] // 2
    if images.device.type != "cpu":
        filtered = F.conv2d(images.transpose(0, 1), kernels[:, None], padding=edge, groups=len(images))
        return filtered.transpose(0, 1).clamp(0, 1)
    each = [F.conv2d(x[:, None], k[None, None], padding=edge)[:, 0] for x, k in zip(images, kernels, strict=True)]
    return torch.stack(each).clamp_(0, 1)


def temperatures(share: Tensor, cut: Tensor, side: int) -> Tensor:
    """Return temperatures between half a pixel's typical displacement and the largest without overhangs.

    Petrini et al., "Relative stability toward diffeomorphisms indicates performance in deep nets" (NeurIPS 2021).

    Args:
        share: Where between the two, in [0, 1], of shape N.
        cut: Largest frequency, 2 or more, of shape N.
        side: Of the image in pixels.
    """
    log = cut.log()
    low = 1 / (math.pi * side**2 * log)
    high = torch.maximum(low, 4 / (math.pi**3 * cut.square() * log))
    return low + share * (high - low)


def displacements(seeds: Tensor, cuts: Tensor, most: int, size: tuple[int, int]) -> Tensor:
    """Return random smooth fields, zero on the border: sums of sines with normal weights over the frequency.

    Args:
        seeds: int64 of shape N.
        cuts: Largest frequency of every sample, int64 of shape N, up to ``most``.
        most: Largest frequency that can be drawn; the weights' places in the seed's noise depend on it.
        size: Height and width.

    Returns:
        float32 N×2×H×W, for the temperature 1 and a side of 1.
    """
    down, across = (_sines(length, most, seeds.device) for length in size)
    inverse = _inverse_frequency(most, seeds.device)
    kept = inverse * (inverse * (cuts[:, None, None] + 0.5) > 1)
    if seeds.device.type != "cpu":
        return down @ (normal_field(seeds, (2, most, most)) * kept[:, None]) @ across.t()
    fields = torch.empty(len(seeds), 2, *size)
    for field, scale, seed, cut in zip(fields, kept, seeds.tolist(), cuts.tolist(), strict=True):
        part = slice(0, cut)
        weights = normal_window(seed, (2, most, most), part, part) * scale[part, part]
        torch.matmul(down[:, part] @ weights, across[:, part].t(), out=field)
    return fields


def remap(images: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Read every pixel at a place moved by a field, bilinearly; places beyond the border take its nearest pixel.

    Args:
        images: Float32 N×C×H×W.
        right: How far to the right of its own place, in pixels, N×H×W.
        down: How far below, likewise.
    """
    height, width = images.shape[2:]
    columns = torch.arange(width, device=images.device)
    rows = torch.arange(height, device=images.device)[:, None]
    grid = torch.stack(((right + columns) * (2 / max(width - 1, 1)), (down + rows) * (2 / max(height - 1, 1))), -1)
    return F.grid_sample(images, grid.sub_(1), padding_mode="border", align_corners=True)


@cached_tensors(8)
def _waves(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    values = torch.linspace(0, 1, _LEVELS, dtype=torch.float64)
    waves = torch.outer(torch.arange(1, count + 1, dtype=torch.float64), values).mul_(math.pi).sin_()
    return values.to(device, torch.float32), waves.to(device, torch.float32)


@cached_tensors(16)
def _sines(length: int, most: int, device: torch.device) -> Tensor:
    places = torch.linspace(0, 1, length, dtype=torch.float64)
    return torch.outer(places, torch.arange(1, most + 1, dtype=torch.float64)).mul_(math.pi).sin_().to(device).float()


@cached_tensors(8)
def _inverse_frequency(most: int, device: torch.device) -> Tensor:
    frequency = torch.arange(1, most + 1, dtype=torch.float64)
    return torch.hypot(frequency[:, None], frequency).reciprocal_().to(device).float()
