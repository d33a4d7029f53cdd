"""The pictures of layers: the first layer's filters, and what channels answer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from robustlit.callbacks.explanation_scene import Scene
from robustlit.core import private
from robustlit.explanations.capture import Capture
from robustlit.explanations.grid import grid_of
from robustlit.explanations.layers import named_layers, select_layers
from robustlit.explanations.network import Network
from robustlit.panels.features import feature_panel
from robustlit.panels.filters import filter_panel
from robustlit.panels.text import Picture

__all__ = ["feature_pictures", "filter_picture", "first_layer"]


def first_layer(module: nn.Module, channels: int) -> tuple[str, nn.Conv2d] | None:
    """Return the name and the module of the first convolution of images with so many channels; None without any."""
    for name, layer in named_layers(module).items():
        if isinstance(layer, nn.Conv2d) and layer.in_channels == channels:
            return name, layer
    return None


def filter_picture(scene: Scene, channels: int) -> Picture | None:
    """Draw the filters of the first layer; None where there is no convolution."""
    found = first_layer(scene.module, channels)
    if found is None:
        return None
    name, layer = found
    weight = layer.weight.detach()
    norms = weight.float().flatten(1).norm(dim=1)
    dead = int((norms < 0.01 * norms.max()).sum())
    size = f"{weight.shape[2]}x{weight.shape[3]}"  # the font has no ×
    return filter_panel(weight, f"{scene.moment} · {name}", f"{len(weight)} filters {size}, {dead} near zero")


def feature_pictures(scene: Scene, images: Tensor, layers: Sequence[str]) -> dict[str, Picture]:
    """Draw what channels of some layers answer to images N×C×H×W, by layer.

    Raises:
        ValueError: If a layer does not exist or has no spatial map.
    """
    network = Network(scene.module, scene.adapter)
    with network.looking(images.device), torch.no_grad():
        pixels = private(images)
        with Capture(select_layers(network, tuple(layers), pixels)) as kept:
            network.logits(pixels)
        answers = {name: kept[name] for name in layers}
    pictures = {}
    for name, answer in answers.items():
        grid = grid_of(answer, images)
        if grid is None:
            raise ValueError(f"expected a layer with a spatial map, got {name!r}; try features=None")
        maps = grid.maps(answer).float()
        silent = int((maps.amax((0, 2, 3)) == maps.amin((0, 2, 3))).sum())
        note = f"{maps.shape[1]} channels {grid.height}x{grid.width}, {silent} silent"
        pictures[name] = feature_panel(images, maps, f"{scene.moment} · {name}", note)
    return pictures
