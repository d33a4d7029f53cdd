"""The convolution block, the normalisation layers and the checks that robustlit's own networks share."""

import math
from collections.abc import Callable

from torch import nn

from robustlit.core.names import lookup

__all__ = ["check_options", "conv_block", "normalisation"]

_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "group": lambda channels: nn.GroupNorm(math.gcd(8, channels), channels),
    "none": lambda channels: nn.Identity(),
}


def check_options(*, dropout: float, **sizes: int) -> None:
    """Raise unless a network of these options can be built.

    Args:
        dropout: A probability in [0, 1).
        sizes: Whole numbers by name, 1 or more.

    Raises:
        ValueError: If an option is out of range.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"expected {name} of 1 or more, got {size}; try model.{name}=1")
    if not 0 <= dropout < 1:
        raise ValueError(f"expected a dropout in [0, 1), got {dropout}; try model.dropout=0.1")


def normalisation(norm: str, channels: int) -> nn.Module:
    """Return a normalisation layer by name.

    Args:
        norm: ``"batch"``; ``"group"`` (up to 8 groups, the same for every batch size); or ``"none"``.
        channels: Channels C of the N×C×H×W input.

    Raises:
        ValueError: If there is no such normalisation.
    """
    return lookup("normalisation", norm, _NORMS)(channels)


def conv_block(inputs: int, outputs: int, *, norm: str, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Return 3×3 convolution, normalisation and ReLU; the size is kept, or divided by ``stride`` and rounded up."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation, bias=norm == "none")
    return nn.Sequential(convolution, normalisation(norm, outputs), nn.ReLU(inplace=True))
