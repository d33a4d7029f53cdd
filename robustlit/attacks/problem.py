"""What an attack asks a model: losses, gradients and success of a batch, whatever the task."""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from robustlit.attacks.losses import Aim, ElementLoss
from robustlit.core.adapter import Adapter
from robustlit.core.logits import two_sided

__all__ = ["Look", "Model", "Problem", "Weigh"]

Model: TypeAlias = Callable[[Tensor], Any]
Weigh: TypeAlias = Callable[[Tensor, Aim], Tensor]  # logits N×K×P, aim -> weights N×P of the elements' losses

_HALF_SCALE = 1024.0  # keeps the gradients of small losses above the smallest float16


@dataclass(frozen=True)
class Look:
    """What a forward pass showed.

    Args:
        logits: N×K×P, without a graph.
        losses: Shape N: the sum over an image's valid elements.
    """

    logits: Tensor
    losses: Tensor


class Problem:
    """A model, a batch's targets and a loss, in the one form that all tasks share.

    Targets N (classes), N×K (labels 0 or 1), N×H×W or N×1×H×W (masks; the logits' channels tell classes from a
    binary mask) become labels N×P, and logits N×K×P; a binary logit z becomes the two logits (0, z).

    Args:
        model: Images in [0, 1] to logits (a tensor, ``["out"]``, ``["logits"]`` or ``.logits``).
        targets: As above, or, for a loss that compares with the clean prediction, that prediction's logits.
        loss: Of every element.
        targeted: Whether the targets are classes to reach.
        ignore_index: Target of elements that do not count.
        dtype: That the model takes its images in.
    """

    def __init__(
        self,
        model: Model,
        targets: Tensor,
        loss: ElementLoss,
        *,
        targeted: bool = False,
        ignore_index: int = -100,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model, self.loss, self.targeted, self.dtype = model, loss, targeted, dtype
        self.many = targets.ndim == 2
        self.size = tuple(targets.shape)
        if targets.ndim not in (1, 2, 3) and not (targets.ndim == 4 and targets.shape[1] == 1):
            raise ValueError(
                f"expected targets of shape N, N×K, N×H×W or N×1×H×W, got {self.size}; try Adapter(task=…)"
            )
        flat = targets.flatten(1) if targets.ndim > 1 else targets[:, None]
        self.whole = not flat.is_floating_point() or bool((flat == flat.round()).all())
        valid = flat != ignore_index
        labels = flat.to(torch.int64).masked_fill(~valid, 0)
        self.aim = Aim(labels, valid, labels if targeted else None)
        self._checked = False

    def subset(self, index: Tensor) -> "Problem":
        """Return the problem of some samples, by bool or int64 index."""
        part = copy.copy(self)
        part.aim = self.aim.subset(index)
        return part

    def toward(self, goals: Tensor) -> "Problem":
        """Return the problem with classes N×P whose losses show the way, while any wrong class is a success."""
        part = copy.copy(self)
        part.aim = replace(self.aim, goals=goals)
        return part

    def compare_with(self, logits: Tensor) -> None:
        """Give the loss the clean images' logits, in the form that the model returns them."""
        self.aim = replace(self.aim, clean=self._classes(logits))

    def remember(self, images: Tensor) -> None:
        """Give the loss the logits of clean images, from one forward pass."""
        with torch.no_grad():
            self.aim = replace(self.aim, clean=self.logits(images))

    def logits(self, images: Tensor) -> Tensor:
        """Return the model's logits as float32 N×K×P."""
        output = Adapter().logits_of(self.model(images.to(self.dtype)))
        logits = self._classes(output)
        if not self._checked:
            self._check(output, logits)
            self._checked = True
        return logits

    def look(self, images: Tensor) -> Look:
        """Return what one forward pass shows, without a gradient."""
        with torch.no_grad():
            logits = self.logits(images)
            return Look(logits, self._losses(logits).sum(1))

    def gradient(self, images: Tensor, weigh: Weigh | None = None) -> tuple[Tensor, Look]:
        """Return the gradient of every sample's loss, N×C×H×W, up to a positive factor, and what the pass showed.

        Args:
            images: N×C×H×W in [0, 1].
            weigh: Weights of the elements' losses; they are constants to the gradient.
        """
        with torch.enable_grad():
            images = images.detach().requires_grad_()
            logits = self.logits(images)
            if not logits.requires_grad:
                raise ValueError(
                    "expected logits that are differentiable in the images, got ones without a gradient; try Square()"
                )
            losses = self._losses(logits)
            objective = losses if weigh is None else losses * weigh(logits.detach(), self.aim)
            scale = _HALF_SCALE if torch.float16 in (self.dtype, _autocast_dtype(images)) else 1.0
            (gradient,) = torch.autograd.grad(objective.sum() * scale, images)
        return torch.nan_to_num(gradient, nan=0.0), Look(logits.detach(), losses.detach().sum(1))

    def success(self, logits: Tensor) -> Tensor:
        """Return, from logits N×K×P, the share of every image's valid elements that the attack won, of shape N."""
        predicted = logits.argmax(1)
        won = predicted == self.aim.goals if self.targeted else predicted != self.aim.labels
        return (won & self.aim.valid).sum(1) / self.aim.valid.sum(1).clamp(min=1)

    def _losses(self, logits: Tensor) -> Tensor:
        """Return the elements' losses N×P, 0 where an element does not count."""
        return self.loss(logits, self.aim) * self.aim.valid

    def _classes(self, logits: Tensor) -> Tensor:
        logits = logits if logits.dtype == torch.float64 else logits.float()
        classes = logits.unsqueeze(1) if self.many else logits.flatten(2) if logits.ndim > 2 else logits.unsqueeze(2)
        return two_sided(classes)

    def _check(self, output: Tensor, logits: Tensor) -> None:
        """Raise for labels that these logits cannot have; warn where they look like probabilities."""
        if logits.shape[2] != self.aim.labels.shape[1] or len(logits) != len(self.aim.labels):
            raise ValueError(
                f"expected logits that fit targets of shape {self.size}, got {tuple(output.shape)}; "
                "try a model that returns them at the targets' size"
            )
        if not self.whole:
            raise ValueError("expected targets 0 or 1 of each label, got numbers between; try targets before MixUp")
        if len(output) == 0:
            return
        total = output.detach().float().sum(1)
        facts = [*self.aim.labels.aminmax(), output.detach().min(), (total - 1).abs().max()]
        low, high, least, off = torch.stack([fact.float() for fact in facts]).tolist()
        if low < 0 or high >= logits.shape[1]:
            bad = int(high if high >= logits.shape[1] else low)
            raise ValueError(
                f"expected labels from 0 to {logits.shape[1] - 1}, got {bad}; try ignore_index={bad} if it marks "
                "what does not count"
            )
        if output.shape[1] > 1 and least >= 0 and off < 1e-3 and not self.many:
            warnings.warn(
                "expected logits, got what looks like probabilities (they sum to one), on which an attack finds too "
                "little; try the model without its softmax",
                stacklevel=2,
            )


def _autocast_dtype(images: Tensor) -> torch.dtype | None:
    device = images.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
