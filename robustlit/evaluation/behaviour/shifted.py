"""Images shifted by whole pixels, and maps shifted back."""

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.names import lookup

__all__ = ["BORDERS", "DIRECTIONS", "shift_back", "shifted"]

#: (down, right) in units of the shift.
DIRECTIONS = ((-1, 0), (1, 0), (0, -1), (0, 1))
BORDERS = ("reflect", "replicate", "zero", "crop")


def shifted(images: Tensor, down: int, right: int, border: str, reach: int) -> Tensor:
    """Return images whose content lies lower and further to the right.

    Args:
        images: N×C×H×W.
        down: Pixels, negative for up.
        right: Pixels, negative for left.
        border: What fills the rim that is laid open: "reflect", "replicate" or "zero"; "crop" cuts ``reach`` pixels off
            every side instead, so that nothing is made up, and images are smaller.
        reach: The largest shift that is compared, for "crop".

    Raises:
        ValueError: If an image is not larger than twice the shift, or there is no such border.

    Example:
        >>> shifted(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 0, 1, "replicate", 1).tolist()
        [[[[1.0, 1.0, 2.0]]]]
    """
    lookup("border", border, dict.fromkeys(BORDERS))
    height, width = images.shape[-2:]
    if border == "crop":
        if min(height, width) <= 2 * reach:
            raise ValueError(f"expected images of more than {2 * reach} pixels, got {height}×{width}; try fewer pixels")
        return images[..., reach - down : height - reach - down, reach - right : width - reach - right]
    top, bottom, left, side = max(0, down), max(0, -down), max(0, right), max(0, -right)
    if max(top, bottom) >= height or max(left, side) >= width:
        raise ValueError(
            f"expected shifts of less than the image, got {max(abs(down), abs(right))} for {height}×{width}"
        )
    mode = "constant" if border == "zero" else border
    padded = F.pad(images, (left, side, top, bottom), mode=mode)
    return padded[..., bottom : bottom + height, side : side + width]


def shift_back(maps: Tensor, down: int, right: int, fill: int = -1) -> Tensor:
    """Undo the shift of maps N×H×W; what lies outside of the picture is ``fill``.

    Example:
        >>> shift_back(torch.tensor([[[7, 1, 2]]]), 0, 1).tolist()
        [[[1, 2, -1]]]
    """
    height, width = maps.shape[-2:]
    found = torch.full_like(maps, fill)
    rows, columns = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    source = maps[..., max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    found[..., rows, columns] = source
    return found
