"""Corruption error beside a reference model, and when its mean may be called mCE."""

import math
import re
from collections.abc import Collection, Mapping, Sequence

from robustlit.corruptions import COMMON
from robustlit.corruptions.severity import SEVERITIES
from robustlit.metrics.alexnet import ALEXNET_CLEAN_ERROR, ALEXNET_ERRORS
from robustlit.metrics.cells import Cell

__all__ = ["corruption_error", "has_wordnet_names", "mean_ce", "mean_relative_ce", "relative_ce", "why_not_mce"]


def corruption_error(errors: Mapping[Cell, float], reference: Mapping[str, float] = ALEXNET_ERRORS) -> dict[str, float]:
    """Return CE of every corruption: the sum of its five errors over that of a reference model.

    Hendrycks and Dietterich, ICLR 2019, section 4. 1.0 is as wrong as the reference; papers print it as 100.

    Args:
        errors: Error rate of every cell; severities between the five and the clean cell are not looked at.
        reference: Mean error of the reference over severities 1 to 5, by corruption; AlexNet's by default.

    Raises:
        ValueError: If a corruption lacks one of its five severities, or is not in the reference.

    Example:
        >>> errors = {("fog", severity): 0.4 for severity in (1, 2, 3, 4, 5)}
        >>> corruption_error(errors, {"fog": 0.8})
        {'fog': 0.5}
    """
    return {label: mean / _of(reference, label) for label, mean in _five_means(errors).items()}


def relative_ce(
    errors: Mapping[Cell, float],
    clean_error: float,
    reference: Mapping[str, float] = ALEXNET_ERRORS,
    reference_clean_error: float = ALEXNET_CLEAN_ERROR,
) -> dict[str, float]:
    """Return relative CE of every corruption: what it adds to the clean error, over what it adds to the reference's.

    Args:
        errors: Error rate of every cell, as in :func:`corruption_error`.
        clean_error: Error rate on the same images without corruption.
        reference: Mean error of the reference over severities 1 to 5, by corruption; AlexNet's by default.
        reference_clean_error: Error rate of the reference on clean images.

    Raises:
        ValueError: If a corruption lacks one of its five severities, or is not in the reference.

    Example:
        >>> errors = {("fog", severity): 0.4 for severity in (1, 2, 3, 4, 5)}
        >>> relative_ce(errors, 0.25, {"fog": 0.75}, 0.25)
        {'fog': 0.30000000000000004}
    """
    return {
        label: (mean - clean_error) / (_of(reference, label) - reference_clean_error)
        for label, mean in _five_means(errors).items()
    }


def mean_ce(errors: Mapping[Cell, float], reference: Mapping[str, float] = ALEXNET_ERRORS) -> float:
    """Return the mean of :func:`corruption_error` over the corruptions; whether it is mCE, :func:`why_not_mce` says."""
    return _mean(corruption_error(errors, reference))


def mean_relative_ce(
    errors: Mapping[Cell, float],
    clean_error: float,
    reference: Mapping[str, float] = ALEXNET_ERRORS,
    reference_clean_error: float = ALEXNET_CLEAN_ERROR,
) -> float:
    """Return the mean of :func:`relative_ce` over the corruptions."""
    return _mean(relative_ce(errors, clean_error, reference, reference_clean_error))


def has_wordnet_names(class_names: Sequence[str]) -> bool:
    """Return whether classes have the names of ImageNet's folders, which tell it from other sets of 1,000 classes.

    Example:
        >>> has_wordnet_names(["n01440764", "n01443537"]), has_wordnet_names(["tench", "goldfish"])
        (True, False)
    """
    return bool(class_names) and all(re.fullmatch(r"n\d{8}", name) for name in class_names)


def why_not_mce(
    *,
    dataset: str,
    num_classes: int,
    preset: str,
    size: tuple[int, int],
    cells: Collection[Cell],
    storage: str | None,
    reference_frost: bool,
) -> str | None:
    """Return why a figure is a mean corruption error and not mCE, or None where it is mCE.

    mCE is one published protocol: other classes, sizes, corruptions or storage give other figures, which look alike.

    Args:
        dataset: Name of the data set.
        num_classes: Classes the model tells apart.
        preset: The table of parameters that was used.
        size: Height and width of the images that were corrupted, in pixels.
        cells: All cells that were measured.
        storage: The on-disk step, "jpeg85" as ImageNet-C is stored, or None.
        reference_frost: Whether frost used the published photographs.

    Example:
        >>> cells = [(name, severity) for name in COMMON for severity in (1, 2, 3, 4, 5)]
        >>> facts = dict(dataset="imagenet", num_classes=1000, preset="imagenet", size=(224, 224), cells=cells)
        >>> why_not_mce(**facts, storage="jpeg85", reference_frost=True) is None
        True
        >>> why_not_mce(**facts, storage=None, reference_frost=True)
        'the images were not stored as JPEG of quality 85'
    """
    missing = [cell for cell in ((name, severity) for name in COMMON for severity in SEVERITIES) if cell not in cells]
    reasons = {
        "the data set is not ImageNet": dataset.lower() != "imagenet",
        f"the model has {num_classes} classes, not ImageNet's 1,000": num_classes != 1000,
        f"the parameters are those of {preset}, not imagenet": preset != "imagenet",
        f"the images have {size[0]}×{size[1]} pixels, not 224×224": tuple(size) != (224, 224),
        f"{len(missing)} of the 75 cells are missing": bool(missing),
        "the images were not stored as JPEG of quality 85": storage != "jpeg85",
        "frost did not use the published photographs": not reference_frost,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _five_means(errors: Mapping[Cell, float]) -> dict[str, float]:
    """Return the mean over severities 1 to 5 of every corruption that has a whole severity."""
    means = {}
    for label in dict.fromkeys(label for label, severity in errors if severity in SEVERITIES):
        lacking = [severity for severity in SEVERITIES if (label, severity) not in errors]
        if lacking:
            raise ValueError(f"expected severities 1 to 5 of {label}, got none for {lacking}; try overall_mean")
        means[label] = math.fsum(errors[label, severity] for severity in SEVERITIES) / len(SEVERITIES)
    return means


def _of(reference: Mapping[str, float], label: str) -> float:
    if label not in reference:
        raise ValueError(f"expected a reference error of {label}, got {', '.join(reference)}; try reference={{…}}")
    return reference[label]


def _mean(values: Mapping[str, float]) -> float:
    return math.fsum(values.values()) / len(values) if values else math.nan
