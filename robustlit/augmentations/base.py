"""What every augmentation is: draws made from seeds, applied to a batch, with a per-sample probability."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from robustlit.core.pixels import exact_arithmetic
from robustlit.core.random import fold, sample_seeds, uniform

if TYPE_CHECKING:
    from albumentations import BasicTransform

__all__ = ["AugmentationOp", "Params", "at", "change_chosen", "in_parts", "part_size", "ranges", "spread"]

_PART = 1 << 18  # values worked on at a time on CPU


@dataclass(frozen=True)
class Params:
    """What was drawn for a batch; subclasses add their own per-sample tensors.

    Args:
        chosen: bool of shape N, which samples are changed.
    """

    chosen: Tensor


Drawn = TypeVar("Drawn", bound=Params)


def ranges(**settings: tuple[float, float]) -> Mapping[str, tuple[float, float]]:
    """Return the least and the largest value of each setting that a schedule may change, the probability among them.

    A least value that is an integer says that the setting is a whole number.
    """
    return MappingProxyType({"p": (0.0, 1.0), **settings})


class AugmentationOp(nn.Module, ABC, Generic[Drawn]):
    """Base of the augmentations: ``sample`` draws, ``apply`` changes, calling the module does both.

    An operation has no state of its own: the same images and seeds give the same result on every device and for any
    batch, except where an operation mixes the samples of a batch and says so. Subclasses write ``sample`` and
    ``change``; those that read class masks set ``needs_masks`` and write ``change(images, params, masks)``; those whose
    targets change with the images write ``change_targets``.

    Args:
        p: Probability that a sample is changed.

    Attributes:
        resembles: Names of the corruptions whose evaluation says less after training with this operation.
        needs_masks: Whether images can be changed only together with their class masks, int N×H×W.
        needs_partners: Whether what a sample becomes depends on the other samples of the batch.
        changes_targets: Whether the targets of changed images are others, so that they have to be known.
        jsd_weight: Weight of the Jensen–Shannon term between the predictions of an image and of two versions of it that
            the callback adds to the loss; 0 for none. With a weight, the module's own step sees the images without
            this operation.
        schedulable: The settings that a schedule may change, and the range of each.

    Raises:
        ValueError: If ``p`` is not in [0, 1].
    """

    resembles: tuple[str, ...] = ()
    needs_masks: bool = False
    needs_partners: bool = False
    changes_targets: bool = False
    jsd_weight: float = 0.0
    schedulable: ClassVar[Mapping[str, tuple[float, float]]] = ranges()

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

    def change_targets(self, targets: Tensor, params: Drawn, num_classes: int) -> Tensor:
        """Return the targets of the changed images: the same object where they stay as they are.

        Args:
            targets: Class numbers N, labels N×K or class masks N×H×W.
            params: What the images were changed with.
            num_classes: How many classes there are; it is read where class numbers become soft labels.
        """
        return targets

    def apply(self, images: Any, params: Drawn | None = None, masks: Tensor | None = None) -> Any:
        """Apply drawn parameters to float images N×C×H×W in [0, 1]; returns a new tensor of the same dtype.

        With a function alone it is ``nn.Module.apply``, which a parent module calls on all its children.

        Raises:
            ValueError: If the operation needs masks and gets none, or they are not of the images' size.
        """
        if params is None:
            return super().apply(images)
        if self.needs_masks:
            self._check_masks(images, masks)
        change: Callable[..., Tensor] = self.change
        with exact_arithmetic(images.device):
            read = (masks,) if self.needs_masks else ()
            return change(images.float(), params, *read).to(images.dtype)

    def forward(self, images: Tensor, seed: int | Tensor = 0, masks: Tensor | None = None) -> Tensor:
        """Change a batch of images.

        Args:
            images: Float N×C×H×W in [0, 1].
            seed: An int, spread over the samples by their position, or int64 seeds of shape N.
            masks: Class masks, int N×H×W, for the operations that need them; they are read only.
        """
        with exact_arithmetic(images.device):
            drawn = self.sample(images.shape, spread(seed, images))
        changed: Tensor = self.apply(images, drawn, masks)
        return changed

    def choose(self, seeds: Tensor) -> Tensor:
        """Draw which samples are changed: bool of shape N, true with probability ``p``."""
        return uniform(fold(seeds, "chosen")) < self.p

    def caption(self, params: Drawn, row: int) -> str:
        """Say in a few words what was drawn for one sample, for pictures and logs."""
        from robustlit.augmentations.captions import caption

        return caption(params, row)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name, so that ``type(op)(**op.settings())`` is the same operation."""
        from robustlit.augmentations.settings import settings_of

        return settings_of(self)

    def to_albumentations(self) -> "BasicTransform":
        """Return an albumentations transform that draws and changes as this operation does, for one image at a time.

        It takes uint8 or float32 images H×W×C and moves masks where this operation moves targets; it can be serialised
        and replayed. Operations that read other samples of a batch read those of its metadata key: see
        :mod:`robustlit.augmentations.albumentations_transforms`.

        Raises:
            ImportError: If albumentations is not installed.
            ValueError: If labels would have to change, for which albumentations has no place.
        """
        from robustlit.augmentations.albumentations_transforms import transform_of

        return transform_of(self)

    def _check_masks(self, images: Tensor, masks: Tensor | None) -> None:
        expected = (images.shape[0], *images.shape[2:])
        if masks is None or masks.shape != expected:
            found = "none" if masks is None else f"shape {tuple(masks.shape)}"
            raise ValueError(
                f"expected class masks of shape {expected} for {type(self).__name__}, got {found}; "
                "try it on segmentation data, as operation(images, seed, masks)"
            )


def change_chosen(images: Tensor, chosen: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return new images of which the chosen ones are changed, and the others are copies bit for bit.

    On CPU only the chosen ones are computed, a few at a time, so that what is in between stays in the cache and in
    memory that is in use already; on CUDA all of them are, so that nothing waits for the host.

    Args:
        images: N×C×H×W.
        chosen: bool of shape N.
        change: Takes the positions of M samples, int64 in ascending order, and returns their changed images M×C×H×W.
    """
    if images.device.type != "cpu":
        everything = torch.arange(len(images), device=images.device)
        return torch.where(chosen[:, None, None, None], change(everything), images)
    positions = chosen.nonzero()[:, 0]
    result = torch.empty_like(images) if len(positions) == len(images) else images.clone()
    for part in in_parts(positions, images[0].numel()) if len(positions) else ():
        for position, image in zip(part.tolist(), change(part), strict=True):
            result[position].copy_(image)
    return result


def in_parts(positions: Tensor, values: int) -> Sequence[Tensor]:
    """Split positions of samples with so many values each into parts that fit the cache of a CPU core."""
    return torch.split(positions, part_size(values))


def part_size(values: int) -> int:
    """Return how many samples of so many values each are worked on at a time on CPU."""
    return max(1, _PART // max(values, 1))


def at(values: Tensor, positions: Tensor) -> Tensor:
    """Return the samples at some positions, int64 in ascending order; a view where it can be one on CPU."""
    if len(positions) == len(values):
        return values
    if values.device.type == "cpu" and len(positions):
        first, last = int(positions[0]), int(positions[-1])
        if last - first + 1 == len(positions):
            return values[first : last + 1]
    return values.index_select(0, positions)


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
