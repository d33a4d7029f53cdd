"""Warnings where a figure would say less than it seems: trained on what is tested, or selected on what is reported."""

import re
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

from robustlit.corruptions import BAR, COMMON
from robustlit.families import FAMILIES, RESEMBLES

__all__ = ["trained_on", "warn_of_overlap"]

_FOR_REPORTING = {*COMMON, *BAR}
_KEY = re.compile(r"^robust/(?:corruption/(?P<name>[^/]+)|gap/(?P<gap>corruption(?:_extra)?)$)")


def warn_of_overlap(trainer: pl.Trainer, monitored: Sequence[str], shown: Sequence[str]) -> None:
    """Warn if training uses an evaluated corruption, or if checkpoints are chosen by figures meant for reporting.

    Args:
        trainer: With its callbacks and data module.
        monitored: Names of the corruptions behind ``extra_mean``.
        shown: Names of the corruptions behind ``mean``.
    """
    seen = trained_on(trainer)
    both = {name: seen[name] for name in (*monitored, *shown) if name in seen}
    if both:
        pairs = ", ".join(f"{name} ({how})" for name, how in both.items())
        rank_zero_warn(
            f"training uses corruptions that are evaluated: {pairs}; their scores do not show how the model does on "
            "corruptions it has not met; try leaving them out of CorruptionEvaluation, or reporting C-bar"
        )
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        key = str(getattr(callback, "monitor", None))
        reported = [name for name in _behind(key, monitored, shown) if name in _FOR_REPORTING]
        if reported:
            more = f" and {len(reported) - 1} more" if len(reported) > 1 else ""
            rank_zero_warn(
                f"{type(callback).__name__} selects by {key}, so the figures of {reported[0]}{more} are then no "
                "independent ones to report; try monitor='robust/corruption/extra_mean' over the EXTRA corruptions"
            )


def _behind(key: str, monitored: Sequence[str], shown: Sequence[str]) -> Sequence[str]:
    """The corruptions that a key is about."""
    found = _KEY.match(key)
    name = (found["name"] or found["gap"]) if found else ""
    if name.removesuffix("_calibration_error").removesuffix("_mean") in ("extra", "corruption_extra"):
        return monitored
    if name in ("mean", "corruption"):
        return shown
    family = FAMILIES.get(name.removesuffix("_mean"), ())
    return [each for each in (*monitored, *shown) if each == name.removesuffix("_procedural") or each in family]


def trained_on(trainer: pl.Trainer) -> dict[str, str]:
    """Return the corruptions that training images may undergo: corruption name → what does it."""
    found: dict[str, str] = {}
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        operations = getattr(callback, "operations", None)
        for operation in operations.values() if isinstance(operations, dict) else ():
            found.update(dict.fromkeys(getattr(operation, "resembles", ()), type(operation).__name__))
    transforms = getattr(getattr(trainer, "datamodule", None), "train_transforms", None)
    for transform in _flat(transforms):
        own = getattr(transform, "resembles", None)  # this package's operations as albumentations transforms
        names = own if own is not None else RESEMBLES.get(type(transform).__name__, ())
        found.update(dict.fromkeys(names, getattr(transform, "operation", type(transform).__name__)))
    return found


def _flat(transforms: Any) -> list[Any]:
    """Every transform of a nested composition."""
    inner = getattr(transforms, "transforms", transforms)
    if isinstance(inner, list | tuple):
        return [each for transform in inner for each in _flat(transform)]
    return [] if transforms is None else [transforms]
