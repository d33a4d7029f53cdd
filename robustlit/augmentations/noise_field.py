"""Normal noise for every pixel of an image, of which any window can be drawn alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors

__all__ = ["normal_field", "normal_window"]

_LEVELS = 1 << 16
_GOLDEN, _MASK = 0x9E3779B9, 0xFFFFFFFF


def normal_field(seeds: Tensor, shape: Sequence[int]) -> Tensor:
    """Draw a standard normal number for every value of images.

    A pixel's number depends on its sample's seed and its place alone, and is the same bit for bit on every device. It
    is one of 2¹⁶ equally likely quantiles, the largest 4.3: finer than pixels of 8 bits can tell, and several times
    as fast as ``robustlit.core.random.normal``.

    Args:
        seeds: int64 of shape N, made by ``fold`` for this noise alone.
        shape: C, H and W; C·H·W up to 2³².

    Returns:
        float32 N×C×H×W.
    """
    channels, height, width = shape
    pairs = (width + 1) // 2
    places = torch.arange(channels * height * pairs, dtype=torch.int32, device=seeds.device)
    low, high = seeds.to(torch.int32)[:, None], (seeds >> 32).to(torch.int32)[:, None]
    return _normal(places * _i32(_GOLDEN) + low, high).view(-1, channels, height, 2 * pairs)[..., :width]


def normal_window(seed: int, shape: Sequence[int], rows: slice, columns: slice) -> Tensor:
    """Draw on CPU the part of one image's ``normal_field`` that lies in a window.

    Args:
        seed: The image's seed.
        shape: C, H and W of the image.
        rows: First and last-but-one row of the window, within the image.
        columns: Columns, likewise.

    Returns:
        float32 C×rows×columns.
    """
    channels, height, width = shape
    pairs = (width + 1) // 2
    first, last = columns.start // 2, (columns.stop + 1) // 2
    part = _counters(channels, height, pairs)[:, rows, first:last]
    noise = _normal(part + _i32(seed & _MASK), _i32(seed >> 32))
    return noise[..., columns.start - 2 * first : columns.stop - 2 * first]


def _normal(counters: Tensor, key: Tensor | int) -> Tensor:
    """Hash the counters of pairs of pixels, in place, to 16 bits for each of the two: the last axis doubles."""
    bits, spare = counters, torch.empty_like(counters)
    _shifted(bits, 16, spare).mul_(_i32(0x7FEB352D)).bitwise_xor_(key)
    _shifted(bits, 15, spare).mul_(_i32(0x846CA68B))
    _shifted(bits, 16, spare)
    halves = bits.view(torch.uint16)
    index = halves.to(torch.int32)
    noise = torch.index_select(_quantiles(bits.device), 0, index.flatten())
    return noise.reshape(halves.shape)


def _shifted(bits: Tensor, shift: int, spare: Tensor) -> Tensor:
    """Add to 32-bit integers, bit by bit and in place, their own upper bits; int32 shifts keep the sign, so mask it."""
    torch.bitwise_right_shift(bits, shift, out=spare)
    return bits.bitwise_xor_(spare.bitwise_and_((1 << (32 - shift)) - 1))


@cached_tensors(8)
def _counters(channels: int, height: int, pairs: int) -> Tensor:
    """One number for each pair of pixels, int32 C×H×pairs."""
    places = torch.arange(channels * height * pairs, dtype=torch.int32) * _i32(_GOLDEN)
    return places.view(channels, height, pairs)


@cached_tensors(8)
def _quantiles(device: torch.device) -> Tensor:
    """The middles of 2¹⁶ equally likely steps of the normal distribution, scaled to a variance of exactly 1."""
    middles = (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS
    values: Tensor = torch.special.ndtri(middles)
    return (values / values.square().mean().sqrt()).to(device, torch.float32)


def _i32(x: int) -> int:
    return x - (1 << 32) if x >= 1 << 31 else x
