"""Numbers that are exact enough for gradients and sums."""

import torch
from torch import Tensor

__all__ = ["at_least_float"]


def at_least_float(values: Tensor) -> Tensor:
    """Return float64 as it is, and everything else as float32."""
    return values if values.dtype == torch.float64 else values.float()
