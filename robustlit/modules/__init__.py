"""LightningModules for classification and semantic segmentation."""

from robustlit.modules.classification import ClassificationModule
from robustlit.modules.segmentation import SegmentationModule

__all__ = ["ClassificationModule", "SegmentationModule"]
