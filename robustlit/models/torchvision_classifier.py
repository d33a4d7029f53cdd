"""Any of torchvision's classifiers, by its name."""

from pathlib import Path
from typing import Any

import torchvision
from torch import nn

from robustlit.core.names import unknown_name
from robustlit.models.weights import first_convolution, load_weights

__all__ = ["torchvision_classifier"]

# Two families have heads beside the main one, used in training only: without them a network returns plain logits. Their
# trained weights need the input rescaled, which the network does by itself.
_INCEPTION = {"aux_logits": False, "init_weights": True, "transform_input": True}
_OPTIONS: dict[str, dict[str, Any]] = {"googlenet": _INCEPTION, "inception_v3": _INCEPTION}


def torchvision_classifier(
    name: str, *, in_channels: int = 3, num_classes: int, weights: str | Path | None = None, **options: Any
) -> nn.Module:
    """Build one of torchvision's classifiers for any number of classes and channels.

    Args:
        name: torchvision's name: ``"resnet50"``, ``"convnext_tiny"``, ``"vit_b_16"`` …
        in_channels: Channels C of the images, N×C×H×W; the first convolution is replaced where it is not 3.
        num_classes: Number of logits.
        weights: None for random weights, torchvision's name of trained ones (``"DEFAULT"``), or a file.
        options: What else the model's builder takes, such as ``image_size=64`` for ``"vit_b_16"``.

    Raises:
        ValueError: If the name, the weights or an option does not exist.

    Example:
        >>> network = torchvision_classifier("mobilenet_v3_small", num_classes=7, in_channels=1)
        >>> network.classifier[-1].out_features
        7
    """
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise unknown_name("torchvision classifier", name, known)
    try:
        network: nn.Module = torchvision.models.get_model(
            name, weights=None, num_classes=num_classes, **_OPTIONS.get(name, {}) | options
        )
    except TypeError as error:
        raise ValueError(
            f"expected options that {name} has, got {error}; try the keywords of torchvision's own"
        ) from error
    if in_channels != 3:
        _replace_first_convolution(network, in_channels)
    if weights is not None:
        load_weights(network, name, weights)
    return network


def _replace_first_convolution(network: nn.Module, in_channels: int) -> None:
    name, old = first_convolution(network)
    new = nn.Conv2d(
        in_channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        stride=old.stride,  # type: ignore[arg-type]
        padding=old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    parent, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(parent), attribute, new)
    if hasattr(network, "transform_input"):
        network.transform_input = False  # type: ignore[assignment]  # torchvision's knows three channels only
