"""Plasma: square maps of fractal noise by the diamond-square algorithm, a whole batch level by level."""

from torch import Tensor

__all__ = ["plasma", "plasma_draws", "plasma_size"]

_AMPLITUDE = 100.0  # of the first level's displacements; it enters squared, as in the published generator


def plasma_size(height: int, width: int) -> int:
    """Return the side of the map that covers an image: the next power of two.

    Example:
        >>> plasma_size(224, 224), plasma_size(32, 32), plasma_size(100, 300)
        (256, 32, 512)
    """
    return 1 << (max(height, width) - 1).bit_length()


def plasma_draws(size: int) -> int:
    """Return how many numbers one map of a side takes: one a cell, but the first."""
    return size * size - 1


def plasma(uniforms: Tensor, decay: float) -> Tensor:
    """Return maps that wrap around at their borders (Fournier, Fussell and Carpenter 1982; as in ImageNet-C).

    Args:
        uniforms: float N×(S²−1) in [0, 1), S a power of two; for every level the numbers of its squares and then of
            its two kinds of diamonds, which is the published order.
        decay: By how much the displacement shrinks from level to level; the larger, the smoother the map.

    Returns:
        N×S×S, each map from 0 to 1.
    """
    steps = uniforms - 0.5
    grid = uniforms.new_zeros(uniforms.shape[0], 1, 1)
    amplitude = _AMPLITUDE
    start = 0
    while start < uniforms.shape[1]:
        cells = grid.shape[1] ** 2
        level = steps[:, start : start + 3 * cells].view(-1, 3, grid.shape[1], grid.shape[1])
        grid = _refined(grid, level, 8 * amplitude**2)
        start += 3 * cells
        amplitude /= decay
    flat = grid.flatten(1)
    low, high = flat.amin(1)[:, None, None], flat.amax(1)[:, None, None]
    return grid.sub_(low).mul_(1 / (high - low))


def _refined(corners: Tensor, steps: Tensor, amount: float) -> Tensor:
    """Return the map of twice the side: every new point is the mean of four neighbours and its own step.

    Args:
        corners: N×k×k.
        steps: N×3×k×k in [-½, ½), of the squares, of the diamonds on the corners' rows and of those between the rows.
        amount: Four times what a step is multiplied by.
    """
    pairs = corners + corners.roll(-1, 1)
    middles = pairs.add(pairs.roll(-1, 2)).add_(steps[:, 0], alpha=amount).mul_(0.25)
    across = middles.roll(1, 1).add_(middles).add_(corners).add_(corners.roll(-1, 2))
    down = middles.roll(1, 2).add_(middles).add_(pairs)
    finer = corners.new_empty(corners.shape[0], 2 * corners.shape[1], 2 * corners.shape[2])
    finer[:, 0::2, 0::2] = corners
    finer[:, 1::2, 1::2] = middles
    finer[:, 0::2, 1::2] = across.add_(steps[:, 1], alpha=amount).mul_(0.25)
    finer[:, 1::2, 0::2] = down.add_(steps[:, 2], alpha=amount).mul_(0.25)
    return finer
