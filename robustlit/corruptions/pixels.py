"""From the caller's pixels to float32 in [0, 1] and back, in chunks that fit a cache."""

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["chunks", "put", "to_unit", "truncate"]

_CHUNK = 1 << 18  # values worked on at a time on CPU: 1 MiB of float32, one 224 px colour image
_SLACK = 1e-3  # of a grey level; keeps float32 rounding from losing a level where the published float64 result is whole


def chunks(images: Tensor) -> Iterator[slice]:
    """Yield slices of the batch: a few images at a time on CPU, all at once on other devices."""
    count = images.shape[0]
    size = count if images.device.type != "cpu" else max(1, _CHUNK // max(1, images[0].numel() if count else 1))
    for start in range(0, count, size):
        yield slice(start, start + size)


def to_unit(images: Tensor, quantize: bool) -> Tensor:
    """Return float32 in [0, 1]; float images are rounded to 8 bits unless ``quantize`` is off."""
    if images.dtype == torch.uint8:
        return images.float().div_(255)
    images = images.float()
    return (images * 255).round_().clamp_(0, 255).div_(255) if quantize else images


def truncate(images: Tensor) -> Tensor:
    """Return images cut down to 8 bits and to [0, 1], as float32 multiples of 1/255."""
    return (images * 255).add_(_SLACK).floor_().clamp_(0, 255).div_(255)


def put(images: Tensor, into: Tensor, quantize: bool) -> None:
    """Write float32 images in [0, 1] in the caller's dtype, truncated to 8 bits unless ``quantize`` is off."""
    if not quantize and into.dtype != torch.uint8:
        into.copy_(images)
        return
    levels = (images * 255).add_(_SLACK).floor_()
    into.copy_(levels if into.dtype == torch.uint8 else levels.div_(255))
