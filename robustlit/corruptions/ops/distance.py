"""Distance to the nearest mark, by the 5×5 chamfer metric of OpenCV, up to a limit."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["chamfer_distance"]


def _fixed(length: float) -> float:
    """A length in units of 2⁻¹⁶ pixels; sums of such lengths are exact in float32."""
    return round(length * 65536) / 65536


# rows down, columns right and length of every move; a shortest path has at most two kinds, of neighbouring directions
_MOVES = tuple(
    (down, right, _fixed(length))
    for length, steps in (
        (1.0, ((0, 1), (1, 0), (0, -1), (-1, 0))),
        (1.4, ((1, 1), (1, -1), (-1, 1), (-1, -1))),
        (2.1969, ((1, 2), (2, 1), (1, -2), (2, -1), (-1, 2), (-2, 1), (-1, -2), (-2, -1))),
    )
    for down, right in steps
)


def chamfer_distance(marks: Tensor, limit: float) -> Tensor:
    """Return the distance of every pixel to the nearest mark (Borgefors 1986, "Distance transformations").

    The lengths are those of OpenCV's ``distanceTransform(…, DIST_L2, 5)``: 1, 1.4 and 2.1969. One kind of move after
    the other is repeated by doubling, which is exact because the order of moves on a path does not matter.

    Args:
        marks: Bool N×H×W.
        limit: In pixels, < 256; the distance of what is farther.

    Returns:
        Float32 N×H×W in pixels.

    Example:
        >>> marks = torch.zeros(1, 4, 4, dtype=torch.bool)
        >>> marks[0, 0, 0] = True
        >>> round(float(chamfer_distance(marks, 20)[0, 1, 2]), 4)
        2.1969
    """
    count, height, width = marks.shape
    stride = width + math.ceil(limit)  # so far that a move beyond a row's end reaches no pixel of the next within limit
    padded = F.pad((~marks).float().mul_(limit), (0, stride - width), value=limit).view(count, -1)
    scratch = torch.empty_like(padded)
    for down, right, length in _MOVES:
        step = down * stride + right
        times = 1
        while times * length < limit and times * abs(step) < padded.shape[1]:
            to, of = _places(times * step)
            detour = torch.add(padded[:, of], times * length, out=scratch[:, to])
            torch.minimum(padded[:, to], detour, out=padded[:, to])
            times *= 2
    return padded.view(count, height, stride)[:, :, :width].contiguous()


def _places(by: int) -> tuple[slice, slice]:
    """Where moves end and where they begin."""
    return (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
