"""What the tests of every style operation share."""

import torch
from torch import Tensor

from robustlit.core.random import sample_seeds


def seeds(count: int) -> Tensor:
    return sample_seeds(4, torch.arange(count))


def pictures(count: int, channels: int = 3, size: tuple[int, int] = (24, 33)) -> Tensor:
    """Smooth images of different colours and contrasts."""
    coarse = torch.rand(count, channels, 5, 5)
    smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
    return (smooth * torch.rand(count, channels, 1, 1) + 0.3 * torch.rand(count, channels, 1, 1)).clamp(0, 1)
