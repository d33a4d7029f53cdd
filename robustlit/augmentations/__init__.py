"""Augmentations on batched tensors: float images N×C×H×W in [0, 1] in, the same out; torch only."""

from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.augmentations.patch_gaussian import PatchGaussian

__all__ = ["AugmentationOp", "Params", "PatchGaussian"]
