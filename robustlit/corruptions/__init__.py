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
from robustlit.corruptions.families import BAR, BAR_CIFAR, BAR_IMAGENET, COMMON, EXTRA
from robustlit.corruptions.weather.fog import Fog
from robustlit.corruptions.weather.frost import Frost
from robustlit.corruptions.weather.snow import Snow

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
    "Fog",
    "Frost",
    "InverseSparkles",
    "Lines",
    "PerlinNoise",
    "PinchAndTwirl",
    "PlasmaNoise",
    "Ripple",
    "SingleFrequencyGreyscale",
    "Snow",
    "Sparkles",
    "TransverseChromaticAbberation",
    "corrupt",
    "corrupt_with_masks",
    "resolve",
]
