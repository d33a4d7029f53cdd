"""From the caller's pixels to float32 in [0, 1] and back, in chunks that fit a cache."""

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["chunks", "put", "to_unit", "truncate"]

_CHUNK = 1 << 18  # values worked on at a time on CPU: 1 MiB of float32, one 224 px colour image
_TILE = 1 << 15  # values: 128 KiB of float32
_SLACK = 1e-3  # of a grey level; keeps float32 rounding from losing a level where the published float64 result is whole


def chunks(images: Tensor) -> Iterator[slice]:
    """Yield slices of the batch: a few images at a time on CPU, all at once on other devices."""
    count = images.shape[0]
    size = count if images.device.type != "cpu" else _CHUNK // (images[0].numel() if count else 1)
    size = max(1, size)  # one image may be larger than a chunk
    for start in range(0, count, size):
        yield slice(start, start + size)


def to_unit(images: Tensor, quantize: bool) -> Tensor:
    """Return new float32 in [0, 1]; float images, in [0, 1] too, are rounded to 8 bits unless ``quantize`` is off."""
    if images.is_floating_point() and not quantize:
        return images.to(torch.float32, copy=True)  # a user's own function may work in place
    unit = torch.empty(images.shape, device=images.device)
    for part, into in _tiles(images, unit):
        levels = part.float() if part.dtype == torch.uint8 else (part.float() * 255).round_()
        torch.div(levels, 255, out=into)
    return unit


def truncate(images: Tensor) -> Tensor:
    """Return images cut down to 8 bits and to [0, 1], as float32 multiples of 1/255."""
    return _levels(images).floor_().div_(255)


def put(images: Tensor, into: Tensor, quantize: bool) -> None:
    """Write float32 images in the caller's dtype, clipped to [0, 1], truncated to 8 bits unless ``quantize`` is off."""
    if into.is_floating_point() and not quantize:
        into.copy_(images.clamp(0, 1))
        return
    for part, target in _tiles(images, into):
        levels = _levels(part)
        if not target.is_floating_point():
            target.copy_(levels)  # which cuts off the fraction
        elif target.dtype == torch.float32:
            torch.div(levels.floor_(), 255, out=target)
        else:
            target.copy_(levels.floor_().div_(255))


def _levels(images: Tensor) -> Tensor:
    """Return the grey levels of pixels, clipped to 0…255, which are whole once their fraction is cut off."""
    slack = torch.full((), _SLACK, device=images.device)
    return torch.add(slack, images, alpha=255).clamp_(0, 255)


def _tiles(source: Tensor, target: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield matching parts of two tensors of one shape, on CPU so small that several passes over one stay in cache."""
    if source.device.type != "cpu" or not (source.is_contiguous() and target.is_contiguous()):
        yield source, target
        return
    yield from zip(torch.split(source.view(-1), _TILE), torch.split(target.view(-1), _TILE), strict=True)
