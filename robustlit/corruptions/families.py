"""The published families of corruptions, by name."""

from robustlit.core.names import lookup
from robustlit.families import BAR, BAR_CIFAR, BAR_IMAGENET, COMMON, EXTRA

__all__ = ["BAR", "BAR_CIFAR", "BAR_IMAGENET", "COMMON", "EXTRA", "FAMILIES", "family"]

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
