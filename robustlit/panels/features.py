"""What the channels of a layer answer to some images."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.colormap import colored
from robustlit.panels.filters import spread
from robustlit.panels.grid import display_size, titled, to_pictures
from robustlit.panels.table import table
from robustlit.panels.text import Picture, letters

__all__ = ["feature_panel"]

_ROWS = 4
_CHANNELS = 6


def feature_panel(images: Tensor, activations: Tensor, title: str = "", note: str = "") -> Picture:
    """Show images beside the maps of some channels of a layer, always the same ones, each channel on one scale.

    Args:
        images: Float N×C×H×W in [0, 1]; the first 4 are shown.
        activations: N×K×h×w; of more than 6 channels every so many is shown.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture with a row an image and a column a channel, dark violet at a channel's lowest answer.

    Raises:
        ValueError: If the activations are no maps of the images.
    """
    if activations.ndim != 4 or len(activations) != len(images) or not len(images):
        raise ValueError(
            f"expected maps N×K×h×w of {len(images)} images, got shape {tuple(activations.shape)}; try another layer"
        )
    channels = spread(activations.shape[1], _CHANNELS)
    values = activations[:_ROWS, channels].detach().float()
    low, high = (values.amin((0, 2, 3), keepdim=True), values.amax((0, 2, 3), keepdim=True))
    values = (values - low) / (high - low).clamp(min=torch.finfo(torch.float32).tiny)
    size = display_size(*images.shape[-2:])
    mode = "area" if size[0] < values.shape[-2] else "nearest"
    tiles = colored(F.interpolate(values, size, mode=mode)).cpu().numpy()
    rows: list[Sequence[Picture]] = [
        [picture, *found] for picture, found in zip(to_pictures(images[:_ROWS]), tiles, strict=True)
    ]
    width = letters((1 + len(channels)) * size[1])
    return titled(title, table(["image", *map(str, channels)], rows, width), note=note)
