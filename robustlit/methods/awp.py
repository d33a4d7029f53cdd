"""Adversarial weight perturbation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from robustlit.attacks import searching

__all__ = ["AWP", "Saved", "restore"]

Saved: TypeAlias = Sequence[tuple[nn.Parameter, Tensor]]  # weights, and exact copies of what they were


@dataclass(frozen=True)
class AWP:
    """Computes the gradients of a training step at weights moved to where the loss is larger, against overfitting.

    Wu, Xia and Wang, "Adversarial Weight Perturbation Helps Robust Generalization" (2020). Every weight with more than
    one dimension moves by ``gamma`` times its own norm along the gradient of the method's loss at the adversarial
    batch. The exact weights are put back after the backward pass, so clipping, the optimizer and weight decay see them
    (the authors' code takes the optimizer's step first). It costs one more forward and backward pass. The gradient is
    averaged over the processes; with accumulated gradients every batch has its own perturbation.

    Args:
        gamma: Length of the move relative to the weight's norm; the paper: 0.01, and 0.005 with TRADES.
        warmup_epochs: Epochs without perturbation at the start; the authors' code: 10 with TRADES.

    Raises:
        ValueError: If gamma or the epochs are negative.

    Example:
        >>> layer = nn.Linear(2, 1, bias=False)
        >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
        >>> saved = AWP(gamma=0.1).perturb(layer, lambda: layer(torch.tensor([[1.0, 0.0]])).sum())
        >>> layer.weight.data
        tensor([[3.5000, 4.0000]])
        >>> restore(saved)
        >>> layer.weight.data
        tensor([[3., 4.]])
    """

    gamma: float = 0.01
    warmup_epochs: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < float("inf"):
            raise ValueError(f"expected gamma of at least 0, got {self.gamma}; try gamma=0.01")
        if self.warmup_epochs < 0:
            raise ValueError(f"expected warmup_epochs of at least 0, got {self.warmup_epochs}; try warmup_epochs=0")

    def perturb(self, module: nn.Module, objective: Callable[[], Tensor]) -> Saved:
        """Move the weights in place and return copies of what they were; buffers and generators stay as they are.

        Args:
            module: The unwrapped module, in the mode in which it trains.
            objective: Computes the loss of the batch with a graph.
        """
        weights = [weight for weight in module.parameters() if weight.requires_grad and weight.ndim > 1]
        with searching(module, train=True), torch.enable_grad():
            for weight in weights:
                weight.requires_grad_(True)
            gradients = torch.autograd.grad(objective(), weights, allow_unused=True)
        pairs = [(weight, slope) for weight, slope in zip(weights, gradients, strict=True) if slope is not None]
        _average(slope for _, slope in pairs)
        saved = [(weight, weight.detach().clone()) for weight, _ in pairs]
        with torch.no_grad():
            for weight, slope in pairs:
                weight.add_(slope * (self.gamma * weight.norm() / (slope.norm() + 1e-20)))
        torch.clear_autocast_cache()  # type: ignore[no-untyped-call]  # it holds the weights before the move
        return saved


def restore(saved: Saved) -> None:
    """Put the exact weights back."""
    with torch.no_grad():
        for weight, before in saved:
            weight.copy_(before)


def _average(gradients: Iterable[Tensor]) -> None:
    """Average over the processes in place, so that all of them move the same way."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        for gradient in gradients:
            torch.distributed.all_reduce(gradient)
            gradient.div_(torch.distributed.get_world_size())
