"""The names of the corruptions by family and by kind. Imports nothing, so that reports sort by them without torch."""

from collections.abc import Iterable

__all__ = ["BAR", "BAR_CIFAR", "BAR_IMAGENET", "COMMON", "EXTRA", "FAMILIES", "KINDS", "RESEMBLES", "by_family"]

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

# Hendrycks and Dietterich 2019 sort COMMON like this
KINDS = {"noise": COMMON[0:3], "blur": COMMON[3:7], "weather": COMMON[7:11], "digital": COMMON[11:15]}
FAMILIES = {**KINDS, "extra": EXTRA, "C-bar": BAR}

# which corruptions the transforms of albumentations (and torchvision) resemble, by class name
RESEMBLES = {
    "AdditiveNoise": ("gaussian_noise", "speckle_noise"),
    "AdvancedBlur": ("gaussian_blur",),
    "Blur": ("gaussian_blur", "defocus_blur"),
    "ColorJitter": ("brightness", "contrast", "saturate"),
    "Defocus": ("defocus_blur",),
    "Downscale": ("pixelate",),
    "ElasticTransform": ("elastic_transform",),
    "GaussNoise": ("gaussian_noise",),
    "GaussianBlur": ("gaussian_blur",),
    "GaussianNoise": ("gaussian_noise",),
    "GlassBlur": ("glass_blur",),
    "HueSaturationValue": ("saturate", "brightness"),
    "ISONoise": ("gaussian_noise",),
    "ImageCompression": ("jpeg_compression",),
    "MedianBlur": ("gaussian_blur",),
    "MotionBlur": ("motion_blur",),
    "MultiplicativeNoise": ("speckle_noise",),
    "RandomBrightnessContrast": ("brightness", "contrast"),
    "RandomFog": ("fog",),
    "RandomSnow": ("snow",),
    "SaltAndPepper": ("impulse_noise",),
    "ShotNoise": ("shot_noise",),
    "Spatter": ("spatter",),
    "ZoomBlur": ("zoom_blur",),
}

_LABELS = {"frost": ("frost", "frost_procedural")}


def by_family(labels: Iterable[str]) -> dict[str, list[str]]:
    """Sort labels into the families that they occur in; those of no family come last, as "other".

    ``frost_procedural``, frost without the published photographs, is among the weather where frost is.

    Example:
        >>> by_family(["fog", "mine", "speckle_noise", "snow"])
        {'weather': ['snow', 'fog'], 'extra': ['speckle_noise'], 'other': ['mine']}
    """
    left = dict.fromkeys(labels)
    found = {
        family: [label for name in names for label in _LABELS.get(name, (name,)) if label in left]
        for family, names in FAMILIES.items()
    }
    known = {name for names in found.values() for name in names}
    found["other"] = [name for name in left if name not in known]
    return {family: names for family, names in found.items() if names}
