"""What every augmentation is: draws made from seeds, applied to a batch, with a per-sample probability."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from robustlit.core.pixels import exact_arithmetic
from robustlit.core.random import fold, sample_seeds, uniform

__all__ = ["AugmentationOp", "Params", "spread"]


@dataclass(frozen=True)
class Params:
    """What was drawn for a batch; subclasses add their own per-sample tensors.

    Args:
        chosen: bool of shape N, which samples are changed.
    """

    chosen: Tensor


Drawn = TypeVar("Drawn", bound=Params)


class AugmentationOp(nn.Module, ABC, Generic[Drawn]):
    """Base of the augmentations: ``sample`` draws, ``apply`` changes, calling the module does both.

    An operation has no state of its own: the same images and seeds give the same result on every device and for any
    batch. Subclasses write ``sample`` and ``change``.

    Args:
        p: Probability that a sample is changed.

    Attributes:
        resembles: Names of the corruptions whose evaluation says less after training with this operation.

    Raises:
        ValueError: If ``p`` is not in [0, 1].
    """

    resembles: ClassVar[tuple[str, ...]] = ()

    def __init__(self, p: float = 1.0) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"expected p in [0, 1], got {p}; try p=1.0")
        self.p = p

    @abstractmethod
    def sample(self, shape: torch.Size, seeds: Tensor) -> Drawn:
        """Draw the parameters for images of shape N×C×H×W from int64 seeds of shape N."""

    @abstractmethod
    def change(self, images: Tensor, params: Drawn) -> Tensor:
        """Return new images from float32 images N×C×H×W in [0, 1] and drawn parameters."""

    def apply(self, images: Any, params: Drawn | None = None) -> Any:
        """Apply drawn parameters to float images N×C×H×W in [0, 1]; returns a new tensor of the same dtype.

        With a function alone it is ``nn.Module.apply``, which a parent module calls on all its children.
        """
        if params is None:
            return super().apply(images)
        with exact_arithmetic(images.device):
            return self.change(images.float(), params).to(images.dtype)

    def forward(self, images: Tensor, seed: int | Tensor = 0) -> Tensor:
        """Change a batch of images.

        Args:
            images: Float N×C×H×W in [0, 1].
            seed: An int, spread over the samples by their position, or int64 seeds of shape N.
        """
        changed: Tensor = self.apply(images, self.sample(images.shape, spread(seed, images)))
        return changed

    def choose(self, seeds: Tensor) -> Tensor:
        """Draw which samples are changed: bool of shape N, true with probability ``p``."""
        return uniform(fold(seeds, "chosen")) < self.p


def spread(seed: int | Tensor, images: Tensor) -> Tensor:
    """Return one seed a sample: an int is spread by position, an int64 vector of shape N is taken as it is.

    Raises:
        ValueError: If a vector has not one seed a sample.
    """
    if isinstance(seed, Tensor):
        if seed.shape != images.shape[:1]:
            raise ValueError(
                f"expected one seed for each of {images.shape[0]} samples, got shape {tuple(seed.shape)}; try seed=0"
            )
        return seed
    return sample_seeds(seed, torch.arange(images.shape[0], device=images.device))
