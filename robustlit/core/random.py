"""Random numbers that depend on a seed and a position, and on nothing else.

Drawing is separate from applying: an operation derives one 64-bit seed a sample (``mix``, ``sample_seeds``, ``fold``)
and turns it into numbers (``uniform``, ``normal``). No global generator is read or written, so a sample gets the same
draws on every device and for any batch size, order, worker or process count.

Integers are hashed by the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014); the numbers come from four rounds of multiplying and shifting 32-bit integers over (seed,
position) (the constants are those of C. Wellons' hash-prospector), and normal numbers from them by Box and Muller
(1958): the two hashes of a pair share their first half, and both its sine and its cosine are used.
"""

import hashlib
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors

__all__ = ["fold", "mix", "normal", "sample_seeds", "uniform"]

_MASK64 = (1 << 64) - 1
_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_CHUNK = 1 << 18  # positions hashed at a time on CPU, so that the working set stays in cache
_PAIRS = 512  # pairs of normal numbers that are written side by side; twice that divides _CHUNK
_OPENING = _CLOSING = ((16, 0x7FEB352D), (15, 0x846CA68B))  # shifts and factors
_CLOSING_ANGLE = ((16, 0x21F0AAAD), (15, 0xD35A2D97))
_Kernel = Callable[[Tensor, Tensor, int, Tensor], None]


def mix(*keys: int | str) -> int:
    """Hash integers and strings to one seed in [0, 2⁶³).

    The order of the keys matters. Strings are hashed by BLAKE2b, so the seed is the same in every process.

    Example:
        >>> mix(0, "augment", 7) == mix(0, "augment", 7)
        True
        >>> mix(0, "augment", 7) == mix(0, 7, "augment")
        False
    """
    state = 0
    for key in keys:
        state = _splitmix((state ^ _as_integer(key)) & _MASK64)
    return state >> 1


def sample_seeds(seed: int, indices: Tensor) -> Tensor:
    """Return one seed a sample, from a run-wide seed and the samples' indices.

    Args:
        seed: Any integer, for instance of ``mix(run_seed, "augment", epoch)``.
        indices: int64 of shape N, on any device.

    Returns:
        int64 of shape N on the device of ``indices``; element i is ``fold``ed from ``seed`` and ``indices[i]``.
    """
    return fold(torch.full_like(indices, mix(seed)), indices)


def fold(seeds: Tensor, *keys: int | str | Tensor) -> Tensor:
    """Derive new per-sample seeds: one for each operation, step or parameter.

    Args:
        seeds: int64 of shape N.
        keys: What the new seeds are for; an int64 tensor of shape N gives every sample its own key.

    Returns:
        int64 of shape N, in [0, 2⁶³).
    """
    state = seeds
    for key in keys:
        number = key if isinstance(key, Tensor) else _signed(_as_integer(key))
        state = _splitmix_tensor(state ^ number)
        state = (state >> 1) & ((1 << 63) - 1)
    return state


def uniform(seeds: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Draw numbers uniform in [0, 1).

    Args:
        seeds: int64 of shape N, one a sample.
        shape: Shape of one sample's draw; ``()`` draws one number a sample.

    Returns:
        float32 of shape N×shape, with 24 random bits each, equal bit for bit on every device.

    Example:
        >>> seeds = sample_seeds(0, torch.arange(4))
        >>> bool((uniform(seeds, (3,))[2] == uniform(seeds[2:3], (3,))[0]).all())
        True
    """
    return _draw(seeds, shape, _uniforms)


def normal(seeds: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Draw numbers from the standard normal distribution.

    Args:
        seeds: int64 of shape N, one a sample.
        shape: Shape of one sample's draw.

    Returns:
        float32 of shape N×shape; devices agree to float32 rounding of log, cos and sin.
    """
    return _draw(seeds, shape, _normals)


def _draw(seeds: Tensor, shape: Sequence[int], kernel: _Kernel) -> Tensor:
    if seeds.dtype != torch.int64 or seeds.ndim != 1:
        raise TypeError(
            f"expected seeds as an int64 tensor of shape N, got {seeds.dtype} of shape {tuple(seeds.shape)}; "
            "try robustlit.core.random.sample_seeds(seed, indices)"
        )
    count = math.prod(shape)
    low, high = _halves(seeds)
    flat = torch.empty(seeds.numel(), count, dtype=torch.float32, device=seeds.device)  # whatever the default type
    if seeds.device.type != "cpu" or flat.numel() <= _CHUNK:
        kernel(low, high, 0, flat)
        return flat.view(-1, *shape)
    rows = max(1, _CHUNK // count)
    for row in range(0, seeds.numel(), rows):
        part = slice(row, row + rows)
        for start in range(0, count, _CHUNK):
            kernel(low[part], high[part], start, flat[part, start : start + _CHUNK])
    return flat.view(-1, *shape)


def _halves(seeds: Tensor) -> tuple[Tensor, Tensor]:
    """Split 64-bit seeds into the two 32-bit keys of the hash, each N×1."""
    state = _splitmix_tensor(seeds)
    return state.to(torch.int32)[:, None], (state >> 32).to(torch.int32)[:, None]


def _uniforms(low: Tensor, high: Tensor, start: int, out: Tensor) -> None:
    """Write uniform numbers at positions from ``start`` on of every sample."""
    bits, spare = _begin(low, start, out.shape[1])
    _stir(bits.bitwise_xor_(high), _CLOSING, spare)
    torch.bitwise_right_shift(bits, 16, out=spare)  # the lowest of the 24 bits have seen too little of the key
    bits.bitwise_xor_(spare.bitwise_and_(0xFFFF))
    out.copy_(bits.bitwise_right_shift_(8)).mul_(2.0**-24).add_(0.5)


def _normals(low: Tensor, high: Tensor, start: int, out: Tensor) -> None:
    """Write normal numbers; of each run of 2·_PAIRS positions the first half are cosines, the second their sines."""
    whole, rest = divmod(out.shape[1], 2 * _PAIRS)
    radius, spare = _begin(low, start // 2, whole * _PAIRS + min(rest, _PAIRS))
    angle = radius ^ (high ^ _i32(0x85EBCA6B))
    _stir(radius.bitwise_xor_(high), _CLOSING, spare)
    _stir(angle, _CLOSING_ANGLE, spare)
    # 32-bit integers become the nearest float32: the radius is that of a uniform number in [2⁻²⁴, 1]
    length = _in_place(radius).mul_(2.0**-32).add_(0.5 + 2.0**-24).log_().mul_(-2).sqrt_()
    turned = _in_place(angle).mul_(math.pi * 2.0**-31)
    _place(length, torch.cos(turned, out=spare.view(torch.float32)), 0, out)
    _place(length, turned.sin_(), 1, out)


def _in_place(bits: Tensor) -> Tensor:
    """Turn integers into floats where they are: one tensor less in cache."""
    return bits.view(torch.float32).copy_(bits)


def _place(length: Tensor, part: Tensor, half: int, out: Tensor) -> None:
    """Write products to the first or second half of every run of positions."""
    whole, rest = divmod(out.shape[1], 2 * _PAIRS)
    pairs, done = whole * _PAIRS, 2 * whole * _PAIRS
    if whole:
        runs, shape = out[:, :done].view(-1, whole, 2, _PAIRS), (-1, whole, _PAIRS)
        torch.mul(length[:, :pairs].view(shape), part[:, :pairs].view(shape), out=runs[:, :, half])
    left = min(max(rest - half * _PAIRS, 0), _PAIRS)
    if left:
        begin = done + half * _PAIRS
        torch.mul(length[:, pairs : pairs + left], part[:, pairs : pairs + left], out=out[:, begin : begin + left])


def _begin(low: Tensor, start: int, count: int) -> tuple[Tensor, Tensor]:
    """Return half-hashed positions, N×count, and a tensor of their shape to work with."""
    bits = _positions(start, start + count, low.device) + low
    spare = torch.empty_like(bits)
    _stir(bits, _OPENING, spare)
    return bits, spare


@cached_tensors(8)
def _positions(start: int, stop: int, device: torch.device) -> Tensor:
    return torch.arange(start, stop, dtype=torch.int32, device=device).mul_(_i32(0x9E3779B9))


def _stir(bits: Tensor, rounds: Sequence[tuple[int, int]], spare: Tensor) -> None:
    """Mix 32-bit integers in place; shifts are masked because int32 shifts keep the sign."""
    for shift, factor in rounds:
        torch.bitwise_right_shift(bits, shift, out=spare)
        bits.bitwise_xor_(spare.bitwise_and_((1 << (32 - shift)) - 1)).mul_(_i32(factor))


def _splitmix(x: int) -> int:
    x = (x + _GAMMA) & _MASK64
    x = ((x ^ (x >> 30)) * _FIRST) & _MASK64
    x = ((x ^ (x >> 27)) * _SECOND) & _MASK64
    return x ^ (x >> 31)


def _splitmix_tensor(x: Tensor) -> Tensor:
    x = x + _signed(_GAMMA)
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _signed(_FIRST)
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _signed(_SECOND)
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def _as_integer(key: int | str) -> int:
    if isinstance(key, str):
        return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
    return int(key) & _MASK64


def _signed(x: int) -> int:
    return x - (1 << 64) if x >= 1 << 63 else x


def _i32(x: int) -> int:
    return x - (1 << 32) if x >= 1 << 31 else x
