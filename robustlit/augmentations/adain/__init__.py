"""AdaIN style transfer: a VGG encoder, a decoder, and styles from a folder or from the batch."""

from robustlit.augmentations.adain.adain import AdaIN, AdaINParams
from robustlit.augmentations.adain.decoder import style_decoder
from robustlit.augmentations.adain.encoder import Encoder
from robustlit.augmentations.adain.statistics import ChannelStatistics, adaptive_instance_norm, channel_statistics
from robustlit.augmentations.adain.style_bank import StyleBank
from robustlit.augmentations.adain.weights import load_decoder, load_encoder

__all__ = [
    "AdaIN",
    "AdaINParams",
    "ChannelStatistics",
    "Encoder",
    "StyleBank",
    "adaptive_instance_norm",
    "channel_statistics",
    "load_decoder",
    "load_encoder",
    "style_decoder",
]
