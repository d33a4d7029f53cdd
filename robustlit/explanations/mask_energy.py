"""The share of a map that lies on the object."""

from torch import Tensor

__all__ = ["check_masks", "mask_energy"]


def mask_energy(maps: Tensor, masks: Tensor) -> Tensor:
    """Return the share of each map's positive values inside its mask, in [0, 1], of shape N; NaN without any.

    The energy-based pointing game of Wang et al., "Score-CAM", CVPR workshops 2020, section 4.3. A map that knows
    nothing gets the mask's share of the image.

    Args:
        maps: N×H×W.
        masks: Bool (or 0 and 1) N×H×W.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> mask_energy(torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[False, True]]]))
        tensor([0.7500])
    """
    check_masks(maps, masks)
    positive = maps.clamp(min=0)
    return (positive * masks.bool()).flatten(1).sum(1) / positive.flatten(1).sum(1)


def check_masks(maps: Tensor, masks: Tensor) -> None:
    """Raise unless maps are N×H×W and masks have the same shape.

    Raises:
        ValueError: If not.
    """
    if maps.ndim != 3 or masks.shape != maps.shape:
        raise ValueError(
            f"expected maps and masks N×H×W of one shape, got {tuple(maps.shape)} and {tuple(masks.shape)}; "
            "try masks.squeeze(1)"
        )
