"""Augmentations on batched tensors: float images N×C×H×W in [0, 1] in, the same out; torch only."""

from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.augmentations.cutout import Cutout
from robustlit.augmentations.gaussian_noise import GaussianNoise
from robustlit.augmentations.patch_gaussian import PatchGaussian
from robustlit.augmentations.regions import ClassMasks, FullImage, Region, SquarePatch, Voronoi

__all__ = [
    "AugmentationOp",
    "ClassMasks",
    "Cutout",
    "FullImage",
    "GaussianNoise",
    "Params",
    "PatchGaussian",
    "Region",
    "SquarePatch",
    "Voronoi",
]
