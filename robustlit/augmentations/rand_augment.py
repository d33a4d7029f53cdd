"""RandAugment: torchvision's operations, drawn for every sample."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, ranges
from robustlit.augmentations.regions import integers
from robustlit.augmentations.vision_ops import MOVING, OPERATIONS, run_on_image, run_on_mask
from robustlit.core.random import fold, uniform

__all__ = ["RandAugment", "VisionAugment", "VisionAugmentParams"]

_BINS = 31  # of magnitudes, from nothing to the strongest
_UNSIGNED = ("Posterize", "Solarize")


@dataclass(frozen=True)
class VisionAugmentParams(Params):
    """What was drawn for a batch of N images and K operations each.

    Args:
        chosen: bool of shape N.
        operation: Position in ``OPERATIONS``, int64 N×K.
        level: Bin of the magnitude, 0 … 30, int64 N×K.
        negative: Whether the magnitude's sign is turned, where it has one, bool N×K.
    """

    operation: Tensor
    level: Tensor
    negative: Tensor


class VisionAugment(AugmentationOp[VisionAugmentParams]):
    """Base of the operations that run torchvision's functions image by image.

    The images pass as 8 bits, as torchvision's own classes ask for. Class masks are moved with the image; what is moved
    away becomes ``mask_fill``. On CUDA one small read a batch tells which function is whose.

    Args:
        p: Probability that an image is changed.
        mask_fill: Class number of pixels from beyond the border, usually the ignore index.
    """

    changes_targets = True

    def __init__(self, p: float = 1.0, mask_fill: int = 255) -> None:
        super().__init__(p)
        self.mask_fill = mask_fill

    @abstractmethod
    def scaled(self, name: str, level: int, size: tuple[int, int]) -> float:
        """Return the magnitude of an operation at a level of 0 … 30, for images of height and width ``size``."""

    def change(self, images: Tensor, params: VisionAugmentParams) -> Tensor:
        """Run drawn operations image by image."""
        result = images.clone()
        for place, steps in self._steps(params, (images.shape[2], images.shape[3])):
            image = images[place].mul(255).round_().to(torch.uint8)
            for name, magnitude in steps:
                image = run_on_image(image, name, magnitude)
            result[place] = image.float().div_(255)
        return result

    def change_targets(self, targets: Tensor, params: VisionAugmentParams, num_classes: int) -> Tensor:
        """Move class masks N×H×W or N×1×H×W with their images; other targets stay as they are."""
        if targets.ndim < 3:
            return targets
        result = targets.clone()
        for place, steps in self._steps(params, (targets.shape[-2], targets.shape[-1])):
            mask = targets[place].view(targets.shape[-2:])
            for name, magnitude in steps:
                mask = run_on_mask(mask, name, magnitude, self.mask_fill)
            result[place] = mask
        return result

    def caption(self, params: VisionAugmentParams, row: int) -> str:
        """Name one sample's operations and their magnitudes, for images of 100 pixels where these go by the size."""
        steps = dict(self._steps(params, (100, 100))).get(row)
        return "unchanged" if steps is None else " > ".join(f"{name} {magnitude:.2f}" for name, magnitude in steps)

    def _draw(self, seeds: Tensor, count: int, level: int | None) -> VisionAugmentParams:
        """Draw operations; levels too where none is given."""
        draws = uniform(fold(seeds, "operations"), (3, count))
        levels = integers(draws[:, 1], _BINS)
        return VisionAugmentParams(
            chosen=self.choose(seeds),
            operation=integers(draws[:, 0], len(OPERATIONS)),
            level=levels if level is None else torch.full_like(levels, level),
            negative=draws[:, 2] < 0.5,
        )

    def _steps(self, params: VisionAugmentParams, size: tuple[int, int]) -> list[tuple[int, list[tuple[str, float]]]]:
        """Tell for every chosen sample its operations and their magnitudes."""
        table = torch.stack((params.operation, params.level, params.negative.long()), -1)
        everything = torch.cat((params.chosen.long()[:, None], table.flatten(1)), 1).tolist()
        found = []
        for place, (chosen, *numbers) in enumerate(everything):
            steps = []
            for operation, level, negative in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
                name = OPERATIONS[operation]
                sign = -1 if negative and name not in _UNSIGNED else 1
                steps.append((name, sign * self.scaled(name, level, size)))
            if chosen:
                found.append((place, steps))
        return found


class RandAugment(VisionAugment):
    """Two random operations at one strength, of torchvision's fourteen, drawn for every image.

    Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search space" (2020), with the
    operations and magnitudes of ``torchvision.transforms.v2.RandAugment``, which draws once a batch. Nearest
    neighbours, black beyond the border, C = 1 or 3.

    Args:
        num_ops: Operations an image.
        magnitude: Their strength, 0 … 30.
        p: Probability that an image is changed.
        mask_fill: Class number of pixels from beyond the border, usually the ignore index.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> RandAugment(num_ops=2, magnitude=9)(torch.rand(2, 3, 32, 32), seed=0).shape
        torch.Size([2, 3, 32, 32])
    """

    resembles = ("brightness", "contrast", "saturate")
    schedulable = ranges(magnitude=(0, 30))

    def __init__(self, num_ops: int = 2, magnitude: int = 9, p: float = 1.0, mask_fill: int = 255) -> None:
        super().__init__(p, mask_fill)
        if num_ops < 1 or not 0 <= magnitude < _BINS:
            raise ValueError(
                f"expected num_ops of at least 1 and magnitude of 0 … 30, got {num_ops} and {magnitude}; try 2 and 9"
            )
        self.num_ops = num_ops
        self.magnitude = magnitude

    def sample(self, shape: torch.Size, seeds: Tensor) -> VisionAugmentParams:
        """Draw operations for every image of a batch N×C×H×W."""
        return self._draw(seeds, self.num_ops, self.magnitude)

    def scaled(self, name: str, level: int, size: tuple[int, int]) -> float:
        """Return the magnitude of an operation at a level."""
        share = level / (_BINS - 1)
        if name in MOVING:
            length = size[1] if name == "TranslateX" else size[0]
            return share * {"Rotate": 30.0, "ShearX": 0.3, "ShearY": 0.3}.get(name, 150 / 331 * length)
        return {"Posterize": float(round(8 - 4 * share)), "Solarize": 1 - share}.get(name, 0.9 * share)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"num_ops={self.num_ops}, magnitude={self.magnitude}, p={self.p}"
