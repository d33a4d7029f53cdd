"""Augmentations on batched tensors: float images N×C×H×W in [0, 1] in, the same out; torch only."""

from robustlit.augmentations.adain import AdaIN
from robustlit.augmentations.amplitude_phase import AmplitudePhase
from robustlit.augmentations.augmix import AugMix
from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.augmentations.channel_statistics import ChannelStatistics
from robustlit.augmentations.cutout import Cutout
from robustlit.augmentations.fourier import Fourier
from robustlit.augmentations.gaussian_noise import GaussianNoise
from robustlit.augmentations.patch_gaussian import PatchGaussian
from robustlit.augmentations.random_convolution import RandomConvolution
from robustlit.augmentations.regions import ClassMasks, FullImage, Region, SquarePatch, Voronoi
from robustlit.augmentations.reinhard import Reinhard
from robustlit.augmentations.style_transfer import StyleTransfer

__all__ = [
    "AdaIN",
    "AmplitudePhase",
    "AugMix",
    "AugmentationOp",
    "ChannelStatistics",
    "ClassMasks",
    "Cutout",
    "Fourier",
    "FullImage",
    "GaussianNoise",
    "Params",
    "PatchGaussian",
    "RandomConvolution",
    "Region",
    "Reinhard",
    "SquarePatch",
    "StyleTransfer",
    "Voronoi",
]
