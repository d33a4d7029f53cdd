"""Operations that change grey levels one by one, with Pillow's definitions on 256 grey levels."""

import torch
from torch import Tensor

__all__ = ["autocontrast", "equalize", "posterize", "solarize"]

_GREYS = 256


def autocontrast(images: Tensor) -> Tensor:
    """Stretch every channel to [0, 1]; a flat one stays as it is. Float32 N×C×H×W."""
    flat = images.flatten(2)
    low, high = flat.amin(2), flat.amax(2)
    reach = high - low
    is_flat = reach == 0
    scale = torch.where(is_flat, 1.0, 1 / reach)
    shift = torch.where(is_flat, 0.0, -low * scale)
    return images.mul(scale[..., None, None]).add_(shift[..., None, None]).clamp_(0, 1)


def equalize(images: Tensor) -> Tensor:
    """Spread every channel's grey levels evenly, as ``PIL.ImageOps.equalize``; values are rounded to grey levels.

    Args:
        images: Float32 N×C×H×W in [0, 1].

    Returns:
        Float32 N×C×H×W, whole grey levels; a channel of one grey level stays as it is.
    """
    count, channels, height, width = images.shape
    offset = torch.arange(count * channels, dtype=torch.int32, device=images.device) * _GREYS
    index = images.mul(_GREYS - 1).round_().to(torch.int32).view(count * channels, -1).add_(offset[:, None]).flatten()
    histogram = _counts(index, count * channels * _GREYS).view(-1, _GREYS)
    levels = torch.arange(_GREYS, device=images.device)
    last = (levels * (histogram > 0)).amax(1, keepdim=True)
    step = (height * width - histogram.gather(1, last)) // (_GREYS - 1)
    before = histogram.cumsum(1) - histogram
    table = ((step // 2 + before) // step.clamp(min=1)).clamp_(max=_GREYS - 1)
    table = torch.where(step == 0, levels, table).float().div_(_GREYS - 1)
    return torch.index_select(table.flatten(), 0, index).view(images.shape)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest bits of every grey level.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        bits: From 0, which is black, to 8, float of shape N.
    """
    size = torch.exp2(8 - bits)[:, None, None, None]
    levels = images.mul(_GREYS - 1).round_()
    return levels.mul_(1 / size).floor_().mul_(size / (_GREYS - 1))


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert all values from a threshold on.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        threshold: In grey levels, 256 inverts nothing; float of shape N.
    """
    limit = (threshold - 0.5)[:, None, None, None] / (_GREYS - 1)
    bright = (images - limit).mul_(1e30).clamp_(0, 1)  # 0 below the limit and 1 above it, quicker than comparing
    return images.mul(-2).add_(1).mul_(bright).add_(images)


def _counts(index: Tensor, size: int) -> Tensor:
    """Count how often each number occurs, int64; ``bincount`` would make CUDA wait for the host."""
    if index.device.type == "cpu":
        return torch.bincount(index, minlength=size)
    counts = torch.zeros(size, dtype=torch.int64, device=index.device)
    return counts.scatter_add_(0, index.long(), torch.ones_like(index, dtype=torch.int64))
