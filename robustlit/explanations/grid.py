"""Which axes of a layer's output are space: maps N×K×h×w, N×h×w×K, or the tokens of a transformer N×T×K."""

import math
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Grid", "grid_of"]

_MOST_EXTRA, _FEW_EXTRA = 9, 5  # class and register tokens; where the patches leave a rest of the image uncovered


@dataclass(frozen=True)
class Grid:
    """How to read a layer's output as maps.

    Args:
        height: Rows h.
        width: Columns w.
        layout: ``"maps"`` (N×K×h×w), ``"channels_last"`` (N×h×w×K) or ``"tokens"`` (N×T×K).
        extra: Tokens before the first patch: class and register tokens.
    """

    height: int
    width: int
    layout: str
    extra: int = 0

    def maps(self, output: Tensor) -> Tensor:
        """Return the output, or a gradient of the same shape, as N×K×h×w."""
        if self.layout == "maps":
            return output
        if self.layout == "channels_last":
            return output.permute(0, 3, 1, 2)
        patches = output[:, self.extra :]
        return patches.transpose(1, 2).reshape(len(output), -1, self.height, self.width)


def grid_of(output: Tensor, images: Tensor) -> Grid | None:
    """Return how to read a layer's output as maps of more than one pixel, or None where it has no space.

    Of four axes, space is the pair whose shape is more like the image's. Of three axes the middle one is tokens: the
    grid is that of square patches covering the image, after at most 9 class and register tokens, as few as fit (5 where
    patches leave a rest of the image uncovered).

    Args:
        output: What a layer returned for the images.
        images: N×C×H×W.

    Example:
        >>> import torch
        >>> grid_of(torch.zeros(2, 1 + 4 + 14 * 10, 8), torch.zeros(2, 3, 224, 160))
        Grid(height=14, width=10, layout='tokens', extra=5)
    """
    if not output.is_floating_point() or len(output) != len(images):
        return None
    height, width = images.shape[-2:]
    if output.ndim == 3:
        return _tokens(output.shape[1], height, width)
    if output.ndim != 4:
        return None
    _, first, second, third = output.shape
    last = _stretch(first, second, height, width) < _stretch(second, third, height, width)
    grid = Grid(first, second, "channels_last") if last else Grid(second, third, "maps")
    return grid if grid.height * grid.width > 1 else None


def _stretch(rows: int, columns: int, height: int, width: int) -> float:
    """Return how far a grid's shape is from the image's; grids of one row and one column are compared all the same."""
    return abs(math.log(max(rows, 1) * width / (max(columns, 1) * height)))


def _tokens(count: int, height: int, width: int) -> Grid | None:
    grids = {(height // side, width // side) for side in range(1, min(height, width) + 1)}
    fits = [(count - h * w, h, w) for h, w in grids if h * w > 1 and 0 <= count - h * w <= _MOST_EXTRA]
    whole = [fit for fit in fits if height % fit[1] == 0 and height // fit[1] == width / fit[2]]
    extra, h, w = min(whole or [fit for fit in fits if fit[0] <= _FEW_EXTRA], default=(0, 0, 0))
    return Grid(h, w, "tokens", extra) if h else None
