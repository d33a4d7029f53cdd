"""A weighted mean that never waits for the device."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["Mean"]


class Mean(Metric):
    """Weighted mean of the values of an epoch; NaN and infinity are kept, so that they are seen.

    Example:
        >>> mean = Mean()
        >>> mean.update(torch.tensor(1.0), 3)
        >>> mean.update(torch.tensor(5.0), 1)
        >>> mean.compute().item()
        2.0
    """

    full_state_update = False
    total: Tensor
    weight: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("weight", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, value: Tensor, weight: Tensor | int) -> None:
        """Add a scalar that stands for ``weight`` samples."""
        self.total += value.float() * weight
        self.weight += weight

    def compute(self) -> Tensor:
        """Return the mean; NaN where nothing was added."""
        return self.total / self.weight
