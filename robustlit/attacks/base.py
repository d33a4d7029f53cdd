"""What every attack is: a frozen value that turns a model, images and targets into adversarial images."""

import math
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from robustlit.attacks.lengths import as_length
from robustlit.attacks.losses import LOSSES, ElementLoss
from robustlit.attacks.norms import NORMS, NormBall
from robustlit.attacks.problem import Model, Problem
from robustlit.attacks.scope import searching
from robustlit.core.names import lookup
from robustlit.core.neutral import private
from robustlit.core.pixels import check_pixels
from robustlit.core.random import fold, sample_seeds

__all__ = ["Attack", "BoundedAttack"]


@dataclass(frozen=True)
class Attack(ABC):
    """Base of the attacks; this part knows no budget, so attacks without an eps derive from it.

    Calling an attack leaves the model and every global state bit-identical: a model that is an ``nn.Module`` is
    searched in eval mode with frozen parameters, gradients come from ``torch.autograd.grad``, and draws from per-sample
    seeds. It may be called under ``no_grad`` and ``inference_mode``. The surrounding autocast applies to the model; the
    loss and the pixels are float32.

    Args:
        loss: "ce", "margin", "dlr", "kl", or a function ``(logits N×K×P, Aim) -> N×P`` of what the attack makes large.
        targeted: Whether targets are classes to reach instead of classes to get away from.
        ignore_index: Target of pixels that do not count.

    Raises:
        ValueError: If there is no such loss.
    """

    _: KW_ONLY
    loss: str | ElementLoss = "ce"
    targeted: bool = False
    ignore_index: int = -100

    def __post_init__(self) -> None:
        if isinstance(self.loss, str):
            lookup("loss", self.loss, LOSSES)
        if self.targeted and self.loss in ("dlr", "kl"):
            raise ValueError(f"expected loss 'ce' or 'margin' for a targeted attack, got {self.loss!r}; try 'margin'")

    @abstractmethod
    def search(self, problem: Problem, images: Tensor, seeds: Tensor) -> Tensor:
        """Return adversarial images from float32 images N×C×H×W in [0, 1] and int64 seeds of shape N."""

    def __call__(self, model: Model, images: Tensor, targets: Tensor, seed: int | Tensor = 0) -> Tensor:
        """Attack a batch.

        Args:
            model: Any callable from images in [0, 1] to logits: N×K, N×K×H×W or N×1×H×W.
            images: Float N×C×H×W in [0, 1].
            targets: Classes N, labels N×K of 0 and 1, or masks N×H×W or N×1×H×W. With ``loss="kl"`` also the clean
                images' logits, which saves computing them.
            seed: An int, spread over the samples by their position, or int64 seeds of shape N.

        Returns:
            New images of the same shape, dtype and device, without a graph.

        Raises:
            ValueError: For images outside [0, 1], labels out of range, or shapes that do not fit.
        """
        check_pixels(images)
        if len(targets) != len(images):
            raise ValueError(f"expected {len(images)} targets, got {len(targets)}; try one for each image")
        if len(images) == 0:
            return images.detach().clone()
        with searching(_module_of(model)):
            images, targets = private(images), private(targets)
            seeds = fold(_seeds(seed, images), type(self).__name__)
            work = images if images.dtype == torch.float64 else images.float()
            work = work.clamp(0, 1)  # the check forgives a thousandth
            problem = self._problem(model, work, targets, images.dtype)
            return self.search(problem, work, seeds).detach().to(images.dtype)

    def _problem(self, model: Model, images: Tensor, targets: Tensor, dtype: torch.dtype) -> Problem:
        loss = LOSSES[self.loss] if isinstance(self.loss, str) else self.loss
        settings: dict[str, Any] = {"targeted": self.targeted, "ignore_index": self.ignore_index, "dtype": dtype}
        if self.loss != "kl":
            return Problem(model, targets, loss, **settings)
        if not targets.is_floating_point() or targets.ndim not in (2, 4):
            problem = Problem(model, targets, loss, **settings)
            problem.remember(images)
            return problem
        problem = Problem(model, targets.argmax(1), loss, **settings)
        problem.compare_with(targets)
        return problem


@dataclass(frozen=True)
class BoundedAttack(Attack):
    """An attack that keeps every image within eps of the clean one.

    Args:
        eps: Radius in units of the pixel range [0, 1], so 8/255 and not 8. Like a ``step_size`` it may be a text,
            "8/255", as configurations have it.
        norm: "linf", "l2" or "l1", where the attack has it.

    Raises:
        ValueError: If the attack has no such norm, or eps cannot be a radius in [0, 1] pixels.
    """

    eps: float = 8 / 255
    _: KW_ONLY
    norm: str = "linf"

    norms: ClassVar[tuple[str, ...]] = ("linf", "l2", "l1")

    def __post_init__(self) -> None:
        super().__post_init__()
        lookup(f"norm of {type(self).__name__}", self.norm, {name: name for name in self.norms})
        object.__setattr__(self, "eps", as_length("eps", self.eps))
        step_size = getattr(self, "step_size", None)
        if step_size is not None:
            object.__setattr__(self, "step_size", as_length("step_size", step_size))
        self.check_length("eps", self.eps)

    def check_length(self, name: str, value: float) -> None:
        """Raise unless a length is one in units of the pixel range.

        Raises:
            ValueError: If it is negative or not a number, or more than 1 under L∞.
        """
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"expected {name} of at least 0, got {value}; try 8/255")
        if self.norm == "linf" and value > 1:
            raise ValueError(f"expected {name} in [0, 1], the range of pixels, got {value:g}; try {value:g}/255")

    def ball(self, images: Tensor) -> NormBall:
        """Return the budget around clean images.

        Raises:
            ValueError: If eps is larger than the distance of any two images.
        """
        kind = NORMS[self.norm]
        farthest = kind.diameter(images[0].numel())
        if self.eps > farthest:
            raise ValueError(
                f"expected eps of at most {farthest:.4g}, the {self.norm} distance of black and white, "
                f"got {self.eps:g}; try {self.eps:g}/255"
            )
        return kind(images, self.eps)


def _module_of(model: Model) -> nn.Module | None:
    owner = getattr(model, "__self__", model)
    return owner if isinstance(owner, nn.Module) else None


def _seeds(seed: int | Tensor, images: Tensor) -> Tensor:
    if isinstance(seed, int):
        return sample_seeds(seed, torch.arange(len(images), device=images.device))
    if seed.shape != images.shape[:1]:
        raise ValueError(f"expected one seed for each of {len(images)} images, got {tuple(seed.shape)}; try seed=0")
    seeds: Tensor = private(seed)
    return seeds.to(images.device)
