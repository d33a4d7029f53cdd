"""LightningModules for classification, semantic segmentation, and the decoder of style transfer."""

from robustlit.modules.classification import ClassificationModule
from robustlit.modules.segmentation import SegmentationModule
from robustlit.modules.style_decoder import StyleDecoderModule

__all__ = ["ClassificationModule", "SegmentationModule", "StyleDecoderModule"]
