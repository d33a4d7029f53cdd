"""Which published table of parameters is used: by name, or by the size of the images."""

from collections.abc import Sequence

from robustlit.core.names import unknown_name

__all__ = ["PRESETS", "choose_preset", "nearest_preset"]

PRESETS = ("imagenet", "tiny", "cifar")


def choose_preset(preset: str, height: int, width: int, available: Sequence[str] = PRESETS) -> str:
    """Return the preset to use.

    ``auto`` goes by the shorter side: up to 48 pixels ``cifar``, up to 112 ``tiny``, else ``imagenet``; where a
    corruption has no such table, the one it has nearest in size.

    Args:
        preset: "imagenet", "tiny", "cifar" or "auto".
        height: Of the images, in pixels.
        width: Likewise.
        available: The tables a corruption has.

    Raises:
        ValueError: If there is no such preset, or this corruption has no such table.

    Example:
        >>> choose_preset("auto", 32, 32), choose_preset("auto", 480, 640)
        ('cifar', 'imagenet')
        >>> choose_preset("auto", 64, 64, available=("imagenet", "cifar"))
        'imagenet'
    """
    if preset == "auto":
        side = min(height, width)
        wanted = "cifar" if side <= 48 else "tiny" if side <= 112 else "imagenet"
        return min(available, key=lambda name: _distance(name, wanted))
    if preset not in PRESETS:
        raise ValueError(unknown_name("preset", preset, ("auto", *PRESETS)))
    if preset not in available:
        raise ValueError(f"expected a preset with published levels, got {preset!r}; try {' or '.join(available)}")
    return preset


def nearest_preset(preset: str, height: int, width: int, available: Sequence[str]) -> str:
    """Return the preset to use as :func:`choose_preset` does, but the nearest table where there is none of this name.

    Example:
        >>> nearest_preset("tiny", 64, 64, available=("imagenet", "cifar"))
        'imagenet'
    """
    wanted = choose_preset(preset, height, width)
    return min(available, key=lambda name: _distance(name, wanted))


def _distance(name: str, wanted: str) -> tuple[int, int]:
    """How far a table is from the wanted one; of two equally far the larger images' comes first."""
    if name not in PRESETS:
        return (0, 0)
    return (abs(PRESETS.index(name) - PRESETS.index(wanted)), PRESETS.index(name))
