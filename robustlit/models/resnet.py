"""ResNets for large and for small images."""

from pathlib import Path
from typing import Any

from torch import nn

from robustlit.core.names import unknown_name
from robustlit.models.torchvision_classifier import torchvision_classifier
from robustlit.models.weights import load_weights

__all__ = ["resnet18", "resnet34", "resnet50"]


def resnet18(
    *,
    in_channels: int = 3,
    num_classes: int,
    stem: str = "imagenet",
    width: int = 64,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build torchvision's ResNet-18 (He, Zhang, Ren and Sun, CVPR 2016) with a stem that fits the image size.

    Args:
        in_channels: Channels C of the images, N×C×H×W.
        num_classes: Number of logits.
        stem: ``"imagenet"`` (7×7 convolution of stride 2 and a max-pool: a quarter of the size, for images of 96 pixels
            and more) or ``"cifar"`` (3×3 convolution of stride 1, no pool: for images of 28 to 64 pixels).
        width: Channels of the first stage; the published network has 64. All stages follow, so half the width is a
            quarter of the arithmetic: for short trainings and machines without a GPU.
        weights: None for random weights, torchvision's name of trained ones (``"DEFAULT"``), or a file.

    Raises:
        ValueError: If the stem or the weights do not exist, or the width is not a positive multiple of 8.

    Example:
        >>> sum(p.numel() for p in resnet18(num_classes=10, stem="cifar").parameters())
        11173962
    """
    return _resnet("resnet18", in_channels, num_classes, stem, width, weights)


def resnet34(
    *,
    in_channels: int = 3,
    num_classes: int,
    stem: str = "imagenet",
    width: int = 64,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build torchvision's ResNet-34; the arguments are those of :func:`resnet18`."""
    return _resnet("resnet34", in_channels, num_classes, stem, width, weights)


def resnet50(
    *,
    in_channels: int = 3,
    num_classes: int,
    stem: str = "imagenet",
    width: int = 64,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build torchvision's ResNet-50; the arguments are those of :func:`resnet18`."""
    return _resnet("resnet50", in_channels, num_classes, stem, width, weights)


def _resnet(
    name: str, in_channels: int, num_classes: int, stem: str, width: int, weights: str | Path | None
) -> nn.Module:
    if stem not in ("imagenet", "cifar"):
        raise unknown_name("stem", stem, ("imagenet", "cifar"))
    if width < 8 or width % 8:
        raise ValueError(f"expected width as a positive multiple of 8, got {width}; try width=64")
    network = torchvision_classifier(name, in_channels=in_channels, num_classes=num_classes)
    if stem == "cifar":
        network.conv1 = _convolution(in_channels, 64, 3, padding=1)
        network.maxpool = nn.Identity()
    if width != 64:
        _rescale(network, width)
    if weights is not None:
        load_weights(network, name, weights)
    return network


def _rescale(network: nn.Module, width: int) -> None:
    """Replace every layer by one of ``width / 64`` as many channels; images and logits keep theirs."""
    for name, layer in list(network.named_modules()):
        parent, _, attribute = name.rpartition(".")
        new: nn.Module | None = None
        if isinstance(layer, nn.Conv2d):
            inputs = layer.in_channels if name == "conv1" else layer.in_channels * width // 64
            new = _convolution(
                inputs, layer.out_channels * width // 64, layer.kernel_size, stride=layer.stride, padding=layer.padding
            )
        elif isinstance(layer, nn.BatchNorm2d):
            new = nn.BatchNorm2d(layer.num_features * width // 64)
        elif isinstance(layer, nn.Linear):
            new = nn.Linear(layer.in_features * width // 64, layer.out_features)
        if new is not None:
            setattr(network.get_submodule(parent), attribute, new)


def _convolution(inputs: int, outputs: int, kernel_size: Any, **options: Any) -> nn.Conv2d:
    """A convolution without bias, initialised as torchvision's ResNets are."""
    layer = nn.Conv2d(inputs, outputs, kernel_size, bias=False, **options)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer
