"""Encoder and decoder together: frozen, out of sight of the module that uses them, on the device of the images."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.augmentations.adain.decoder import load_decoder
from robustlit.augmentations.adain.encoder import Encoder, load_encoder
from robustlit.augmentations.adain.statistics import StyleStatistics, adaptive_instance_norm, feature_statistics
from robustlit.core.pixels import exact_arithmetic

__all__ = ["StyleNetwork", "fit_sides"]

_STEP = 8  # pixels of the image under one feature
_LEAST = 16  # two features a side, without which they cannot be padded by reflection


class StyleNetwork:
    """AdaIN's two networks: they are read when they are first used, and follow the images from device to device.

    It is no ``nn.Module``, so a module that holds it has none of its weights in its state dict or its optimizer.

    Args:
        encoder: A file that :func:`~robustlit.augmentations.adain.load_encoder` reads, or an encoder. None is an error
            when it is used, as is a file that does not fit.
        decoder: A file that :func:`~robustlit.augmentations.adain.load_decoder` reads, or a decoder; None likewise.
    """

    def __init__(self, encoder: str | Path | Encoder | None, decoder: str | Path | nn.Module | None) -> None:
        self._encoder, self._decoder = encoder, decoder
        self._device: torch.device | None = None

    def encoder(self, device: torch.device) -> Encoder:
        """Return the encoder on a device."""
        return self._ready(device)[0]

    def encode(self, images: Tensor) -> Tensor:
        """Return the features at relu4_1 of images N×3×H×W in [0, 1]."""
        encoder, _ = self._ready(images.device)
        features: Tensor = encoder(images.contiguous(memory_format=torch.channels_last))
        return features

    def statistics(self, images: Tensor) -> StyleStatistics:
        """Return the channel statistics at relu4_1 of images N×3×H×W in [0, 1]."""
        return feature_statistics(self.encode(images))

    def restyled(self, features: Tensor, style: StyleStatistics, alpha: Tensor) -> Tensor:
        """Return pictures N×3×8H×8W, float32 in [0, 1], of features N×C×H×W in other styles."""
        _, decoder = self._ready(features.device)
        moved = adaptive_instance_norm(features, style, alpha).contiguous(memory_format=torch.channels_last)
        pictures: Tensor = decoder(moved)
        return pictures.float().clamp(0, 1)

    def _ready(self, device: torch.device) -> tuple[Encoder, nn.Module]:
        if self._encoder is None or self._decoder is None:
            what = "encoder" if self._encoder is None else "decoder"
            raise ValueError(f"expected {what} weights, got none; try {what}=FILE")
        # read in a step of precision "bf16-true" they would be of that type; and their first weights are drawn
        with exact_arithmetic(device), torch.random.fork_rng(devices=[]):
            if not isinstance(self._encoder, Encoder):
                self._encoder = load_encoder(self._encoder)
            if not isinstance(self._decoder, nn.Module):
                self._decoder = load_decoder(self._decoder)
        if device != self._device:
            _check_widths(self._encoder, self._decoder)
            self._encoder.to(device).eval().requires_grad_(False)
            self._decoder.to(device).eval().requires_grad_(False)
            self._device = device
        return self._encoder, self._decoder


def fit_sides(images: Tensor, size: int | None) -> Tensor:
    """Scale images so that the shorter side is about ``size`` and both are whole numbers of features.

    Args:
        images: Float N×C×H×W.
        size: Pixels; None for the size that they have.

    Returns:
        Float N×C×H'×W', sides multiples of 8 and at least 16; the same tensor where they are so already.
    """
    height, width = images.shape[2:]
    scale = 1.0 if size is None else size / min(height, width)
    sides = [max(_LEAST, round(side * scale / _STEP) * _STEP) for side in (height, width)]
    if sides == [height, width]:
        return images
    return F.interpolate(images, sides, mode="bilinear", antialias=True)


def _check_widths(encoder: Encoder, decoder: nn.Module) -> None:
    channels = next(layer.in_channels for layer in decoder.modules() if isinstance(layer, nn.Conv2d))
    if channels != encoder.widths[-1]:
        raise ValueError(
            f"expected a decoder of the encoder's {encoder.widths[-1]} channels, got one of {channels}; "
            "try the decoder that was trained with this encoder"
        )
