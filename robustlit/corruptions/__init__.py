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
from robustlit.corruptions.blur.defocus_blur import DefocusBlur
from robustlit.corruptions.blur.gaussian_blur import GaussianBlur
from robustlit.corruptions.blur.glass_blur import GlassBlur
from robustlit.corruptions.blur.motion_blur import MotionBlur
from robustlit.corruptions.blur.zoom_blur import ZoomBlur
from robustlit.corruptions.corrupt import corrupt, corrupt_with_masks, resolve
from robustlit.corruptions.custom import CustomCorruption
from robustlit.corruptions.digital.contrast import Contrast
from robustlit.corruptions.digital.elastic_transform import ElasticTransform
from robustlit.corruptions.digital.jpeg_compression import JpegCompression
from robustlit.corruptions.digital.pixelate import Pixelate
from robustlit.corruptions.digital.saturate import Saturate
from robustlit.corruptions.families import BAR, BAR_CIFAR, BAR_IMAGENET, COMMON, EXTRA
from robustlit.corruptions.noise.gaussian_noise import GaussianNoise
from robustlit.corruptions.noise.impulse_noise import ImpulseNoise
from robustlit.corruptions.noise.shot_noise import ShotNoise
from robustlit.corruptions.noise.speckle_noise import SpeckleNoise
from robustlit.corruptions.weather.brightness import Brightness
from robustlit.corruptions.weather.fog import Fog
from robustlit.corruptions.weather.frost import Frost
from robustlit.corruptions.weather.snow import Snow
from robustlit.corruptions.weather.spatter import Spatter

__all__ = [
    "BAR",
    "BAR_CIFAR",
    "BAR_IMAGENET",
    "COMMON",
    "EXTRA",
    "BlueNoiseSample",
    "Brightness",
    "BrownishNoise",
    "CausticRefraction",
    "CheckerboardCutout",
    "CircularMotionBlur",
    "CocentricSineWaves",
    "Contrast",
    "Corruption",
    "CustomCorruption",
    "DefocusBlur",
    "Draws",
    "ElasticTransform",
    "Fog",
    "Frost",
    "GaussianBlur",
    "GaussianNoise",
    "GlassBlur",
    "ImpulseNoise",
    "InverseSparkles",
    "JpegCompression",
    "Lines",
    "MotionBlur",
    "PerlinNoise",
    "PinchAndTwirl",
    "Pixelate",
    "PlasmaNoise",
    "Ripple",
    "Saturate",
    "ShotNoise",
    "SingleFrequencyGreyscale",
    "Snow",
    "Sparkles",
    "Spatter",
    "SpeckleNoise",
    "TransverseChromaticAbberation",
    "ZoomBlur",
    "corrupt",
    "corrupt_with_masks",
    "resolve",
]
