"""The published families of corruptions, by name."""

from robustlit.core.names import lookup

__all__ = ["BAR", "BAR_CIFAR", "BAR_IMAGENET", "COMMON", "EXTRA", "FAMILIES", "family"]

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

FAMILIES = {
    "common": COMMON,
    "extra": EXTRA,
    "bar": BAR,
    "bar_imagenet": BAR_IMAGENET,
    "bar_cifar": BAR_CIFAR,
}


def family(name: str, preset: str) -> tuple[str, ...]:
    """Return the names of a family; "bar" is the one of the two that was published for the preset's image size.

    Args:
        name: A key of ``FAMILIES``.
        preset: "imagenet", "tiny" or "cifar".

    Raises:
        ValueError: If there is no such family; the message has the nearest name.

    Example:
        >>> family("extra", "cifar")
        ('speckle_noise', 'gaussian_blur', 'spatter', 'saturate')
        >>> family("bar", "cifar") == BAR_CIFAR
        True
    """
    if name == "bar":
        return BAR_CIFAR if preset == "cifar" else BAR_IMAGENET
    return lookup("family", name, FAMILIES)
