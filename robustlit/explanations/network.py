"""A model as the explanations see it: pixels to logits, in a scope that leaves no trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from robustlit.core.adapter import Adapter
from robustlit.core.neutral import neutral_scope
from robustlit.explanations.floats import at_least_float
from robustlit.explanations.target import Goal

__all__ = ["Model", "Network", "check_images"]

Model: TypeAlias = Callable[[Tensor], Any]

_HALF_SCALE = 1024.0  # keeps the gradients of a small score above the smallest float16


class Network:
    """A model with the adapter that reads its logits.

    Args:
        model: Any callable on images; an ``nn.Module``, or a method of one, is looked at neutrally. Wrappers of
            ``torch.compile`` and ``DistributedDataParallel`` are taken off.
        adapter: Reads the logits and normalises pixels; by default the module's own ``adapter``, else automatic.

    Raises:
        TypeError: If the model cannot be called.
    """

    def __init__(self, model: Model, adapter: Adapter | None = None) -> None:
        if not callable(model):
            raise TypeError(f"expected a model that can be called, got {type(model).__name__}; try an nn.Module")
        owner = getattr(model, "__self__", model)
        self.module = _unwrapped(owner) if isinstance(owner, nn.Module) else None
        self.call: Model = self.module if owner is model and self.module is not None else model
        if adapter is None:
            adapter = Adapter() if self.module is None else Adapter.for_module(self.module)
        self.adapter = adapter
        floating = (p.dtype for p in self.module.parameters() if p.is_floating_point()) if self.module else iter(())
        self.dtype = next(floating, None)

    @contextmanager
    def looking(self, device: torch.device) -> Iterator[None]:
        """Look at the model in eval mode, with gradients, and leave it and every global state bit-identical.

        Args:
            device: Where the images are.
        """
        scope = neutral_scope(nn.Module() if self.module is None else self.module, grad=True)
        with scope, torch.autocast(device.type, enabled=False):
            yield

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits of pixels N×C×H×W, N×K or N×K×H×W.

        Raises:
            TypeError: If the model returns no tensor where logits usually are.
        """
        inputs = self.adapter.from_pixels(pixels)
        inputs = inputs if self.dtype is None else inputs.to(self.dtype)
        logits = self.adapter.logits_of(self.call(inputs.clone() if inputs is pixels else inputs))
        if not isinstance(logits, Tensor) or logits.ndim < 2 or len(logits) != len(pixels):
            got = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
            raise TypeError(
                f"expected logits of {len(pixels)} images, N×K or N×K×H×W, got {got}; "
                "try Adapter(logits=lambda output: …)"
            )
        return logits

    def score(self, pixels: Tensor, goal: Goal, index: Tensor | None = None) -> Tensor:
        """Return the goal's score of images n×C×H×W without a graph, shape n; ``index`` as in :meth:`Goal.score`."""
        with torch.no_grad():
            return goal.score(self.logits(pixels), index)

    def gradients(self, scores: Tensor, wanted: list[Tensor], *, keep: bool = False) -> list[Tensor | None]:
        """Return the gradients of every image's score, float32 (or float64), None where it does not depend on them.

        Args:
            scores: Shape N, with a graph.
            wanted: What to differentiate by.
            keep: Whether the graph is needed again.

        Raises:
            ValueError: If the scores have no gradient.
        """
        if not scores.requires_grad:
            raise ValueError(
                "expected logits that are differentiable in the images, got ones without a gradient; try 'occlusion'"
            )
        scale = _HALF_SCALE if self.dtype == torch.float16 else 1.0
        found = torch.autograd.grad(scores.sum() * scale, wanted, retain_graph=keep, allow_unused=True)
        exact: list[Tensor | None] = [None if g is None else at_least_float(g) for g in found]
        return exact if scale == 1.0 else [None if g is None else g / scale for g in exact]

    def image_gradient(self, pixels: Tensor, goal: Goal) -> Tensor:
        """Return the gradient of the goal's score by pixels N×C×H×W, from one forward and one backward."""
        pixels = pixels.detach().requires_grad_()
        gradient = self.gradients(goal.score(self.logits(pixels)), [pixels])[0]
        return torch.zeros_like(pixels) if gradient is None else gradient


def check_images(images: Tensor) -> None:
    """Raise unless images are a float batch N×C×H×W with at least one image.

    Raises:
        TypeError: If they are no float tensor.
        ValueError: If they are not a batch, or an empty one.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        got = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"expected images as a float tensor N×C×H×W, got {got}; try images.float() / 255")
    if images.ndim != 4:
        raise ValueError(f"expected images N×C×H×W, got shape {tuple(images.shape)}; try images[None] for one image")
    if len(images) == 0:
        raise ValueError("expected at least one image to explain, got none; try a batch of one or more")


def _unwrapped(module: nn.Module) -> nn.Module:
    while True:
        inner = getattr(module, "_orig_mod", None)
        if isinstance(module, DistributedDataParallel):
            module = module.module
        elif isinstance(inner, nn.Module):
            module = inner
        else:
            return module
