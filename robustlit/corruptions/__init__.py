"""Common corruptions on batched tensors: images to images, torch alone. One file each, named after it."""

from robustlit.corruptions.bar.blue_noise_sample import BlueNoiseSample
from robustlit.corruptions.bar.brownish_noise import BrownishNoise
from robustlit.corruptions.bar.caustic_refraction import CausticRefraction
from robustlit.corruptions.bar.checkerboard_cutout import CheckerboardCutout
from robustlit.corruptions.bar.circular_motion_blur import CircularMotionBlur
from robustlit.corruptions.bar.cocentric_sine_waves import CocentricSineWaves
from robustlit.corruptions.bar.inverse_sparkles import InverseSparkles
from robustlit.corruptions.bar.lines import Lines
from robustlit.corruptions.bar.perlin_noise import PerlinNoise
from robustlit.corruptions.bar.pinch_and_twirl import PinchAndTwirl
from robustlit.corruptions.bar.plasma_noise import PlasmaNoise
from robustlit.corruptions.bar.ripple import Ripple
from robustlit.corruptions.bar.single_frequency_greyscale import SingleFrequencyGreyscale
from robustlit.corruptions.bar.sparkles import Sparkles
from robustlit.corruptions.bar.transverse_chromatic_abberation import TransverseChromaticAbberation
from robustlit.corruptions.base import Corruption, Draws
from robustlit.corruptions.corrupt import corrupt, corrupt_with_masks, resolve
from robustlit.corruptions.custom import CustomCorruption

# Hendrycks and Dietterich 2019 (ImageNet-C), in the order of the paper
COMMON = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")

# Mintun et al. 2021 (C-bar); the spellings are upstream's, which are folder and file names on disk
BAR_IMAGENET = (
    "blue_noise_sample",
    "brownish_noise",
    "caustic_refraction",
    "checkerboard_cutout",
    "cocentric_sine_waves",
    "inverse_sparkles",
    "perlin_noise",
    "plasma_noise",
    "single_frequency_greyscale",
    "sparkles",
)
BAR_CIFAR = (
    "blue_noise_sample",
    "brownish_noise",
    "checkerboard_cutout",
    "circular_motion_blur",
    "inverse_sparkles",
    "lines",
    "pinch_and_twirl",
    "ripple",
    "sparkles",
    "transverse_chromatic_abberation",
)
BAR = tuple(sorted({*BAR_IMAGENET, *BAR_CIFAR}))

__all__ = [
    "BAR",
    "BAR_CIFAR",
    "BAR_IMAGENET",
    "COMMON",
    "EXTRA",
    "BlueNoiseSample",
    "BrownishNoise",
    "CausticRefraction",
    "CheckerboardCutout",
    "CircularMotionBlur",
    "CocentricSineWaves",
    "Corruption",
    "CustomCorruption",
    "Draws",
    "InverseSparkles",
    "Lines",
    "PerlinNoise",
    "PinchAndTwirl",
    "PlasmaNoise",
    "Ripple",
    "SingleFrequencyGreyscale",
    "Sparkles",
    "TransverseChromaticAbberation",
    "corrupt",
    "corrupt_with_masks",
    "resolve",
]
