"""The pointing game: does a map's largest value lie on the object?"""

import torch
from torch import Tensor

from robustlit.explanations.mask_energy import check_masks

__all__ = ["pointing_game"]


def pointing_game(maps: Tensor, masks: Tensor, tolerance: int = 0) -> Tensor:
    """Return whether the largest value of each map lies in its mask, bool of shape N; False for a map of all zeros.

    Zhang, Lin, Brandt, Shen and Sclaroff, "Top-down neural attention by excitation backprop", ECCV 2016, section 4.2.
    Of several largest values the first from the top left counts.

    Args:
        maps: N×H×W.
        masks: Bool (or 0 and 1) N×H×W.
        tolerance: Pixels, in both directions, by which the value may miss the mask; the paper has 15.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> peak = torch.zeros(1, 5, 5)
        >>> peak[0, 2, 3] = 1
        >>> pointing_game(peak, peak.roll(1, dims=2)).item(), pointing_game(peak, peak.roll(1, dims=2), 1).item()
        (False, True)
    """
    check_masks(maps, masks)
    width = maps.shape[2]
    peak = maps.flatten(1).argmax(1)
    rows = torch.arange(maps.shape[1], device=maps.device)
    columns = torch.arange(width, device=maps.device)
    near_rows = (rows - (peak // width)[:, None]).abs() <= tolerance
    near_columns = (columns - (peak % width)[:, None]).abs() <= tolerance
    hit = masks.bool() & near_rows[:, :, None] & near_columns[:, None, :]
    return hit.flatten(1).any(1) & (maps != 0).flatten(1).any(1)
