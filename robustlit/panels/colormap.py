"""Perceptual colour maps on tensors, on whatever device they are."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from robustlit.panels.colors import viridis

__all__ = ["colored", "signed_colors"]

_STEPS = 256
# Blue below zero, grey at zero, orange above: even steps in lightness on both sides, told apart by colour-blind readers
_SIGNED = (
    (0, 68, 136),
    (67, 128, 182),
    (148, 178, 205),
    (221, 221, 221),
    (226, 170, 120),
    (206, 108, 38),
    (150, 56, 0),
)


def colored(values: Tensor) -> Tensor:
    """Return viridis for values in [0, 1]: uint8 of the same shape and 3 channels more; NaN is black.

    Example:
        >>> colored(torch.tensor([0.0, 1.0])).tolist()
        [[68, 1, 84], [253, 231, 37]]
    """
    return _looked_up(values, _viridis_table(values.device))


def signed_colors(values: Tensor) -> Tensor:
    """Return blue to grey to orange for values from -1 over 0 to 1: uint8 with 3 channels more; NaN is black.

    Example:
        >>> signed_colors(torch.tensor([0.0])).tolist()
        [[221, 221, 221]]
    """
    return _looked_up((values + 1) / 2, _signed_table(values.device))


def _looked_up(values: Tensor, table: Tensor) -> Tensor:
    places = values.detach().float().mul(len(table) - 1).round().clamp(0, len(table) - 1)
    found = table[places.nan_to_num(0).long()]
    return found * ~values.isnan()[..., None]


@lru_cache(maxsize=8)
def _viridis_table(device: torch.device) -> Tensor:
    return torch.from_numpy(viridis(np.linspace(0, 1, _STEPS))).to(device)


@lru_cache(maxsize=8)
def _signed_table(device: torch.device) -> Tensor:
    steps = np.linspace(0, len(_SIGNED) - 1, _STEPS + 1)  # odd: zero has a colour of its own
    channels = [np.interp(steps, np.arange(len(_SIGNED)), np.array(_SIGNED)[:, channel]) for channel in range(3)]
    return torch.from_numpy(np.round(np.stack(channels, axis=-1)).astype(np.uint8)).to(device)
