"""A small classifier that trains in minutes on a CPU."""

from collections import OrderedDict

from torch import nn

from robustlit.models.layers import check_options, conv_block

__all__ = ["small_cnn"]


def small_cnn(
    *,
    in_channels: int = 3,
    num_classes: int,
    width: int = 32,
    stride: int = 2,
    norm: str = "batch",
    dropout: float = 0.0,
) -> nn.Sequential:
    """Build a network of six 3×3 convolutions for images of 28 to 128 pixels, mean-pooled, so of any size.

    The first convolution halves the image, so the costly ones run on small maps: that is where a CPU gets its speed.
    Its parts are named ``features`` (the last maps, for Grad-CAM), ``pool``, ``dropout`` and ``head``.

    Args:
        in_channels: Channels C of the images, N×C×H×W.
        num_classes: Number of logits.
        width: Channels of the first pair of convolutions; the second has twice and the third four times as many.
        stride: Stride of the first convolution: 2 for speed, 1 for accuracy on images of 32 pixels or fewer.
        norm: ``"batch"``, ``"group"`` or ``"none"``.
        dropout: Probability of dropping one of the features before the last layer, in [0, 1).

    Raises:
        ValueError: If a size is below 1, ``dropout`` is not in [0, 1), or there is no such normalisation.

    Example:
        >>> import torch
        >>> small_cnn(num_classes=8)(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 8])
    """
    check_options(dropout=dropout, in_channels=in_channels, num_classes=num_classes, width=width, stride=stride)
    features = nn.Sequential(
        conv_block(in_channels, width, norm=norm, stride=stride),
        conv_block(width, width, norm=norm),
        nn.MaxPool2d(2, ceil_mode=True),
        conv_block(width, 2 * width, norm=norm),
        conv_block(2 * width, 2 * width, norm=norm),
        nn.MaxPool2d(2, ceil_mode=True),
        conv_block(2 * width, 4 * width, norm=norm),
        conv_block(4 * width, 4 * width, norm=norm),
    )
    return nn.Sequential(
        OrderedDict(
            features=features,
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            dropout=nn.Dropout(dropout),
            head=nn.Linear(4 * width, num_classes),
        )
    )
