"""Metrics with bounded memory, right under DDP, and the intervals that belong beside them."""

from robustlit.families import FAMILIES, by_family
from robustlit.metrics.alexnet import ALEXNET_CLEAN_ERROR, ALEXNET_ERRORS
from robustlit.metrics.auroc import AUROC
from robustlit.metrics.calibration import CalibrationError
from robustlit.metrics.cells import CLEAN, Cell, CellScore, corruption_means, overall_mean
from robustlit.metrics.confusion import SegmentationScores, class_iou, confusion_matrices, mean_iou
from robustlit.metrics.corruption_errors import CellError, CorruptionError, CorruptionErrors
from robustlit.metrics.corruption_scores import CorruptionScores
from robustlit.metrics.difference import largest_gap
from robustlit.metrics.flips import FlipProbability, FlipRate, FlipRates, flip_probability, mean_flip_rate
from robustlit.metrics.interval import bootstrap_mean_iou, wilson
from robustlit.metrics.mce import corruption_error, mean_ce, mean_relative_ce, relative_ce, why_not_mce
from robustlit.metrics.mean import Mean
from robustlit.metrics.ranking import (
    area_under_roc,
    auroc_interval,
    average_precision,
    fpr_at_tpr,
    roc_curve,
    threshold_at_specificity,
)
from robustlit.metrics.reliability import (
    adaptive_calibration_error,
    classwise_calibration_errors,
    expected_calibration_error,
)
from robustlit.metrics.robustness_scores import (
    corruption_degradation,
    mean_performance,
    relative_degradation,
    relative_performance,
    resilience_rate,
)
from robustlit.metrics.temperature import fit_temperature

__all__ = [
    "ALEXNET_CLEAN_ERROR",
    "ALEXNET_ERRORS",
    "AUROC",
    "CLEAN",
    "FAMILIES",
    "CalibrationError",
    "Cell",
    "CellError",
    "CellScore",
    "CorruptionError",
    "CorruptionErrors",
    "CorruptionScores",
    "FlipProbability",
    "FlipRate",
    "FlipRates",
    "Mean",
    "SegmentationScores",
    "adaptive_calibration_error",
    "area_under_roc",
    "auroc_interval",
    "average_precision",
    "bootstrap_mean_iou",
    "by_family",
    "class_iou",
    "classwise_calibration_errors",
    "confusion_matrices",
    "corruption_degradation",
    "corruption_error",
    "corruption_means",
    "expected_calibration_error",
    "fit_temperature",
    "flip_probability",
    "fpr_at_tpr",
    "largest_gap",
    "mean_ce",
    "mean_flip_rate",
    "mean_iou",
    "mean_performance",
    "mean_relative_ce",
    "overall_mean",
    "relative_ce",
    "relative_degradation",
    "relative_performance",
    "resilience_rate",
    "roc_curve",
    "threshold_at_specificity",
    "why_not_mce",
    "wilson",
]
