"""The filters of a network's first layer."""

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.grid import grid, titled
from robustlit.panels.text import Picture

__all__ = ["filter_panel", "spread"]

_COLUMNS = 8
_MOST = 64
_SIDE = 36  # pixels


def filter_panel(weight: Tensor, title: str = "", note: str = "") -> Picture:
    """Show convolution filters as small images: grey is zero, and all filters have one scale.

    A filter that stays grey has no weight: it is dead. Filters of three channels are shown in colour, of another number
    their mean over the channels.

    Args:
        weight: K×C×h×w. Of more than 64 filters every so many is shown, always the same ones.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture, 8 filters a row and at most 8 rows.

    Raises:
        ValueError: If there is no filter.
    """
    if weight.ndim != 4 or not len(weight):
        raise ValueError(f"expected filters K×C×h×w, got shape {tuple(weight.shape)}; try a convolution's weight")
    weight = weight.detach().float()[spread(len(weight), _MOST)]
    weight = weight if weight.shape[1] == 3 else weight.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    top = weight.abs().max().clamp(min=torch.finfo(torch.float32).tiny)
    height, width = weight.shape[-2:]
    factor = max(1, -(-_SIDE // max(height, width)))
    tiles = F.interpolate(0.5 + 0.5 * weight / top, (height * factor, width * factor), mode="nearest")
    pictures = tiles.nan_to_num(0).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return titled(title, grid(list(pictures), _COLUMNS), note=note)


def spread(count: int, most: int) -> list[int]:
    """Return at most ``most`` places of ``count``, evenly spaced from the first on.

    Example:
        >>> spread(10, 4)
        [0, 2, 5, 7]
    """
    return list(range(count)) if count <= most else [place * count // most for place in range(most)]
