"""Metrics with bounded memory, right under DDP, and the intervals that belong beside them."""

from robustlit.metrics.auroc import AUROC
from robustlit.metrics.calibration import CalibrationError
from robustlit.metrics.confusion import SegmentationScores, class_iou, confusion_matrices, mean_iou
from robustlit.metrics.interval import bootstrap_mean_iou, wilson
from robustlit.metrics.mean import Mean

__all__ = [
    "AUROC",
    "CalibrationError",
    "Mean",
    "SegmentationScores",
    "bootstrap_mean_iou",
    "class_iou",
    "confusion_matrices",
    "mean_iou",
    "wilson",
]
