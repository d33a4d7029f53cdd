"""What is left of a score under corruption, and how that compares with a reference model.

Every function takes a score in [0, 1] where more is better (accuracy, AUROC, mIoU, Dice) for each cell. Severities
between the published five and the clean cell enter nothing.
"""

import math
from collections.abc import Mapping

from robustlit.corruptions.severity import SEVERITIES
from robustlit.metrics.cells import CLEAN, Cell, corruption_means, overall_mean

__all__ = [
    "NOISES",
    "corruption_degradation",
    "mean_performance",
    "relative_degradation",
    "relative_performance",
    "resilience_rate",
]

NOISES = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise")


def mean_performance(scores: Mapping[Cell, float]) -> float:
    """Return mPC, the mean performance under corruption: over severities, then over corruptions.

    Michaelis et al. 2019 (Benchmarking robustness in object detection).

    Example:
        >>> mean_performance({("fog", 1): 0.75, ("fog", 2): 0.25, ("snow", 1): 0.25})
        0.375
    """
    return overall_mean(scores)


def relative_performance(scores: Mapping[Cell, float], clean: float) -> float:
    """Return rPC, the share of the clean score that is left: mPC over the clean score (Michaelis et al. 2019).

    Example:
        >>> relative_performance({("fog", 1): 0.75, ("snow", 1): 0.25}, clean=0.8)
        0.625
    """
    return mean_performance(scores) / clean if clean else math.nan


def resilience_rate(scores: Mapping[Cell, float], clean: float) -> dict[str, float]:
    """Return the resilience rate of every corruption: its mean score over the clean one (Kong et al. 2023, Robo3D).

    Example:
        >>> resilience_rate({("fog", 1): 0.75, ("fog", 2): 0.25}, clean=0.8)
        {'fog': 0.625}
    """
    return {label: mean / clean if clean else math.nan for label, mean in corruption_means(scores).items()}


def corruption_degradation(
    scores: Mapping[Cell, float], reference: Mapping[Cell, float], *, noise_severities: int = 5
) -> dict[str, float]:
    """Return CD of every corruption: the sum over severities of 1 - score, over the same sum of a reference model.

    Kamann and Rother, CVPR 2020 (Benchmarking the robustness of semantic segmentation models).

    Args:
        scores: Score of every cell.
        reference: Score of the reference model, for at least the same cells.
        noise_severities: Of the noises only the severities up to this one count; the authors use 3, as stronger noise
            hides what is in the image.

    Raises:
        ValueError: If the reference lacks a cell.

    Example:
        >>> corruption_degradation({("fog", 1): 0.75, ("fog", 2): 0.5}, {("fog", 1): 0.5, ("fog", 2): 0.0})
        {'fog': 0.5}
    """
    return _ratios(scores, reference, 1.0, 1.0, noise_severities)


def relative_degradation(
    scores: Mapping[Cell, float],
    clean: float,
    reference: Mapping[Cell, float],
    reference_clean: float,
    *,
    noise_severities: int = 5,
) -> dict[str, float]:
    """Return rCD of every corruption: the sum of what is lost against the clean score, over the reference's.

    Kamann and Rother, CVPR 2020. NaN where the reference loses nothing.

    Args:
        scores: Score of every cell.
        clean: Score without corruption.
        reference: Score of the reference model, for at least the same cells.
        reference_clean: The reference's score without corruption.
        noise_severities: As in :func:`corruption_degradation`.

    Raises:
        ValueError: If the reference lacks a cell.

    Example:
        >>> relative_degradation({("fog", 1): 0.75, ("fog", 2): 0.5}, 0.75, {("fog", 1): 0.5, ("fog", 2): 0.0}, 0.75)
        {'fog': 0.25}
    """
    return _ratios(scores, reference, clean, reference_clean, noise_severities)


def _ratios(
    scores: Mapping[Cell, float], reference: Mapping[Cell, float], best: float, reference_best: float, noises: int
) -> dict[str, float]:
    """Return, by corruption, the sum of best - score over the sum of reference_best - reference."""
    losses: dict[str, list[tuple[float, float]]] = {}
    for cell, score in scores.items():
        label, severity = cell
        if label == CLEAN[0] or severity not in SEVERITIES or (label in NOISES and severity > noises):
            continue
        if cell not in reference:
            raise ValueError(f"expected a reference score of {label} {severity}, got none; try the same cells")
        losses.setdefault(label, []).append((best - score, reference_best - reference[cell]))
    sums = {label: [math.fsum(side) for side in zip(*pairs, strict=True)] for label, pairs in losses.items()}
    return {label: lost / base if base else math.nan for label, (lost, base) in sums.items()}
