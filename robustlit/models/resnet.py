"""ResNets for large and for small images."""

from pathlib import Path

from torch import nn

from robustlit.core.names import unknown_name
from robustlit.models.torchvision_classifier import torchvision_classifier
from robustlit.models.weights import load_weights

__all__ = ["resnet18", "resnet34", "resnet50"]


def resnet18(
    *, in_channels: int = 3, num_classes: int, stem: str = "imagenet", weights: str | Path | None = None
) -> nn.Module:
    """Build torchvision's ResNet-18 (He, Zhang, Ren and Sun, CVPR 2016) with a stem that fits the image size.

    Args:
        in_channels: Channels C of the images, N×C×H×W.
        num_classes: Number of logits.
        stem: ``"imagenet"`` (7×7 convolution of stride 2 and a max-pool: a quarter of the size, for images of 96 pixels
            and more) or ``"cifar"`` (3×3 convolution of stride 1, no pool: for images of 28 to 64 pixels).
        weights: None for random weights, torchvision's name of trained ones (``"DEFAULT"``), or a file.

    Raises:
        ValueError: If the stem or the weights do not exist.

    Example:
        >>> sum(p.numel() for p in resnet18(num_classes=10, stem="cifar").parameters())
        11173962
    """
    return _resnet("resnet18", in_channels, num_classes, stem, weights)


def resnet34(
    *, in_channels: int = 3, num_classes: int, stem: str = "imagenet", weights: str | Path | None = None
) -> nn.Module:
    """Build torchvision's ResNet-34; the arguments are those of :func:`resnet18`."""
    return _resnet("resnet34", in_channels, num_classes, stem, weights)


def resnet50(
    *, in_channels: int = 3, num_classes: int, stem: str = "imagenet", weights: str | Path | None = None
) -> nn.Module:
    """Build torchvision's ResNet-50; the arguments are those of :func:`resnet18`."""
    return _resnet("resnet50", in_channels, num_classes, stem, weights)


def _resnet(name: str, in_channels: int, num_classes: int, stem: str, weights: str | Path | None) -> nn.Module:
    if stem not in ("imagenet", "cifar"):
        raise unknown_name("stem", stem, ("imagenet", "cifar"))
    network = torchvision_classifier(name, in_channels=in_channels, num_classes=num_classes)
    if stem == "cifar":
        network.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
    if weights is not None:
        load_weights(network, name, weights)
    return network
