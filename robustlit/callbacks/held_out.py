"""Warnings where a figure would say less than it seems: trained on what is tested, or selected on what is reported."""

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

__all__ = ["trained_on", "warn_of_overlap"]

# which corruptions the transforms of albumentations (and torchvision) resemble, by class name
_RESEMBLES = {
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
_FOR_SELECTION = "robust/corruption/extra_"


def warn_of_overlap(trainer: pl.Trainer, evaluated: Iterable[str]) -> None:
    """Warn if training uses an evaluated corruption, or if checkpoints are chosen by figures meant for reporting.

    Args:
        trainer: With its callbacks and data module.
        evaluated: Names of the corruptions.
    """
    seen = trained_on(trainer)
    both = {name: seen[name] for name in dict.fromkeys(evaluated) if name in seen}
    if both:
        pairs = ", ".join(f"{name} ({how})" for name, how in both.items())
        rank_zero_warn(
            f"training uses corruptions that are evaluated: {pairs}; their scores do not show how the model does on "
            "corruptions it has not met; try leaving them out of CorruptionEvaluation, or reporting C-bar"
        )
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        key = str(getattr(callback, "monitor", None))
        if key.startswith("robust/corruption/") and not key.startswith(_FOR_SELECTION):
            rank_zero_warn(
                f"{type(callback).__name__} selects by {key}, which is then no independent figure to report; "
                "try monitor='robust/corruption/extra_mean'"
            )


def trained_on(trainer: pl.Trainer) -> dict[str, str]:
    """Return the corruptions that training images may undergo: corruption name → what does it."""
    found: dict[str, str] = {}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        operations = getattr(callback, "operations", None)
        for operation in operations.values() if isinstance(operations, dict) else ():
            found.update(dict.fromkeys(getattr(operation, "resembles", ()), type(operation).__name__))
    transforms = getattr(getattr(trainer, "datamodule", None), "train_transforms", None)
    for transform in _flat(transforms):
        found.update(dict.fromkeys(_RESEMBLES.get(type(transform).__name__, ()), type(transform).__name__))
    return found


def _flat(transforms: Any) -> list[Any]:
    """Every transform of a nested composition."""
    inner = getattr(transforms, "transforms", transforms)
    if isinstance(inner, list | tuple):
        return [each for transform in inner for each in _flat(transform)]
    return [] if transforms is None else [transforms]
