"""Augmentations on batched tensors: float images N×C×H×W in [0, 1] in, the same out; torch only."""

from robustlit.augmentations.adain import AdaIN
from robustlit.augmentations.amplitude_phase import AmplitudePhase
from robustlit.augmentations.augmix import AugMix
from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.augmentations.channel_statistics import ChannelStatistics
from robustlit.augmentations.cutmix import CutMix
from robustlit.augmentations.cutout import Cutout
from robustlit.augmentations.fourier import Fourier
from robustlit.augmentations.gaussian_noise import GaussianNoise
from robustlit.augmentations.mixup import MixUp
from robustlit.augmentations.painting_by_numbers import PaintingByNumbers
from robustlit.augmentations.patch_gaussian import PatchGaussian
from robustlit.augmentations.prime import PRIME
from robustlit.augmentations.rand_augment import RandAugment
from robustlit.augmentations.random_convolution import RandomConvolution
from robustlit.augmentations.regions import ClassMasks, FullImage, Region, SquarePatch, Voronoi
from robustlit.augmentations.reinhard import Reinhard
from robustlit.augmentations.style_transfer import StyleTransfer
from robustlit.augmentations.trivial_augment import TrivialAugment

__all__ = [
    "PRIME",
    "AdaIN",
    "AmplitudePhase",
    "AugMix",
    "AugmentationOp",
    "ChannelStatistics",
    "ClassMasks",
    "CutMix",
    "Cutout",
    "Fourier",
    "FullImage",
    "GaussianNoise",
    "MixUp",
    "PaintingByNumbers",
    "Params",
    "PatchGaussian",
    "RandAugment",
    "RandomConvolution",
    "Region",
    "Reinhard",
    "SquarePatch",
    "StyleTransfer",
    "TrivialAugment",
    "Voronoi",
]
