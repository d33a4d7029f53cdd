"""Clipped zoom: the middle of a field, enlarged to the field's own size."""

import math
from typing import TypeAlias

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors

__all__ = ["clipped_zoom", "zoomed_part"]

_Taps: TypeAlias = tuple[Tensor, Tensor, Tensor]


def zoomed_part(length: int, factor: float) -> slice:
    """Return the middle pixels of one side that are left when it is enlarged and clipped to its own length.

    Example:
        >>> zoomed_part(224, 3.0)
        slice(74, 149, None)
    """
    kept = math.ceil(length / factor)
    first = (length - kept) // 2
    return slice(first, first + kept)


def clipped_zoom(fields: Tensor, height: int, width: int, factor: float) -> Tensor:
    """Enlarge bilinearly, corner pixel on corner pixel as scipy's ``zoom`` does, and clip to the middle.

    Args:
        fields: Float N×h×w, the ``zoomed_part`` of each side.
        height: To return, in pixels.
        width: Likewise.
        factor: ≥ 1.

    Returns:
        N×height×width.
    """
    if factor == 1:
        return fields
    first, second, share = _taps(height, factor, fields.device)
    rows = torch.lerp(fields.index_select(1, first), fields.index_select(1, second), share[:, None])
    first, second, share = _taps(width, factor, fields.device)
    return torch.lerp(rows.index_select(2, first), rows.index_select(2, second), share)


@cached_tensors(32)
def _taps(length: int, factor: float, device: torch.device) -> _Taps:
    """The two pixels that each output pixel lies between, and how near it is to the second."""
    part = zoomed_part(length, factor)
    kept = part.stop - part.start
    enlarged = round(kept * factor)
    first = (enlarged - length) // 2
    places = torch.arange(first, first + length, dtype=torch.float64) * ((kept - 1) / (enlarged - 1))
    below = places.floor().clamp(max=max(kept - 2, 0))
    above = (below + 1).clamp(max=kept - 1)
    return below.long().to(device), above.long().to(device), (places - below).float().to(device)
