"""Logits of two classes in the one form that those of more have."""

import torch
from torch import Tensor

__all__ = ["two_sided"]


def two_sided(logits: Tensor) -> Tensor:
    """Return the logits of every class, N×K×…: one logit z, N×1×…, stands for two, (0, z).

    Softmax over (0, z) is the sigmoid of z.

    Example:
        >>> two_sided(torch.tensor([[3.0]])), two_sided(torch.tensor([[1.0, 2.0]]))
        (tensor([[0., 3.]]), tensor([[1., 2.]]))
    """
    return torch.cat((torch.zeros_like(logits), logits), dim=1) if logits.shape[1] == 1 else logits
