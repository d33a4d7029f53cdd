"""AdaIN style transfer: a VGG encoder, a decoder, and styles from a folder or from the batch."""

from robustlit.augmentations.adain.adain import AdaIN
from robustlit.augmentations.adain.decoder import load_decoder, style_decoder
from robustlit.augmentations.adain.encoder import Encoder, load_encoder
from robustlit.augmentations.adain.inverse import invert_encoder
from robustlit.augmentations.adain.statistics import StyleStatistics, adaptive_instance_norm, feature_statistics
from robustlit.augmentations.adain.style_bank import StyleBank

__all__ = [
    "AdaIN",
    "Encoder",
    "StyleBank",
    "StyleStatistics",
    "adaptive_instance_norm",
    "feature_statistics",
    "invert_encoder",
    "load_decoder",
    "load_encoder",
    "style_decoder",
]
