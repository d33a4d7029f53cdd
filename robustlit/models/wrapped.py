"""Networks that come as something else than an ``nn.Module``."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["as_network"]


def as_network(network: Any) -> nn.Module:
    """Return a network as it is, or a function from normalised images to logits as an ``nn.Module``.

    Args:
        network: An ``nn.Module``, or anything that can be called with images N×C×H×W. Parameters of modules that a
            function only refers to are not seen, so they stay on their device and are never trained.

    Raises:
        TypeError: If it cannot be called.

    Example:
        >>> as_network(lambda images: images.mean((2, 3)))(torch.ones(1, 4, 2, 2)).shape
        torch.Size([1, 4])
    """
    if isinstance(network, nn.Module):
        return network
    if not callable(network):
        raise TypeError(
            f"expected a network that can be called, got {type(network).__name__}; try a _target_ that returns an "
            "nn.Module or a function of images"
        )
    return _Function(network)


class _Function(nn.Module):
    """Calls a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.place = nn.Parameter(torch.zeros(()), requires_grad=False)  # a module without parameters has no device

    def forward(self, images: Tensor) -> Any:
        """Return what the function returns."""
        return self.function(images)
