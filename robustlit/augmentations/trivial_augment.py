"""TrivialAugment: one of torchvision's operations at any strength, drawn for every sample."""

import torch
from torch import Tensor

from robustlit.augmentations.rand_augment import VisionAugment, VisionAugmentParams
from robustlit.augmentations.vision_ops import MOVING

__all__ = ["TrivialAugment"]


class TrivialAugment(VisionAugment):
    """One random operation at a random strength, of torchvision's fourteen, drawn for every image.

    Müller and Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation" (ICCV 2021), the wide space,
    with the operations and magnitudes of ``torchvision.transforms.v2.TrivialAugmentWide``, which draws once a batch.
    Nearest neighbours, black beyond the border, C = 1 or 3.

    Args:
        p: Probability that an image is changed.
        mask_fill: Class number of pixels from beyond the border, usually the ignore index.

    Example:
        >>> TrivialAugment()(torch.rand(2, 3, 32, 32), seed=0).shape
        torch.Size([2, 3, 32, 32])
    """

    resembles = ("brightness", "contrast", "saturate")

    def sample(self, shape: torch.Size, seeds: Tensor) -> VisionAugmentParams:
        """Draw an operation and its strength for every image of a batch N×C×H×W."""
        return self._draw(seeds, 1, None)

    def scaled(self, name: str, level: int, size: tuple[int, int]) -> float:
        """Return the magnitude of an operation at a level of 0 … 30."""
        share = level / 30
        if name in MOVING:
            return share * {"Rotate": 135.0, "ShearX": 0.99, "ShearY": 0.99}.get(name, 32.0)
        return {"Posterize": float(round(8 - 6 * share)), "Solarize": 1 - share}.get(name, 0.99 * share)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"p={self.p}"
