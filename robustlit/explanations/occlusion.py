"""Occlusion: how much the score falls where a grey square covers the image."""

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.explanations.base import Look, Method
from robustlit.explanations.progress import rounds

__all__ = ["Occlusion", "corners"]


def corners(length: int, patch: int, stride: int) -> list[int]:
    """Return where patches start so that they cover a length; the last one may reach over the end.

    Example:
        >>> corners(10, 4, 3)
        [0, 3, 6]
        >>> corners(11, 4, 3)
        [0, 3, 6, 9]
    """
    return list(range(0, max(length - patch, 0) + stride, stride)) if length > patch else [0]


@dataclass(frozen=True)
class Occlusion(Method):
    """The fall of the score under a square of one grey value, averaged over the squares that cover a pixel: signed.

    One forward pass an image and position. Zeiler and Fergus, "Visualizing and understanding convolutional networks",
    ECCV 2014, section 4.2.

    Args:
        patch: Side of the square in pixels; by default an eighth of the shorter side.
        stride: Distance of its positions in pixels, at most ``patch``; by default half the patch.
        value: Its grey value.
        batch_size: Covered images in one forward pass.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: If an option is below 1, or the stride leaves gaps.
    """

    patch: int | None = None
    stride: int | None = None
    value: float = 0.5
    batch_size: int = 64
    progress: bool = True

    name: ClassVar[str] = "occlusion"

    def __post_init__(self) -> None:
        for option in ("patch", "stride", "batch_size"):
            given = getattr(self, option)
            if given is not None and given < 1:
                raise ValueError(f"expected {option} of 1 or more, got {given}; try {option}=8")
        if self.patch is not None and self.stride is not None and self.stride > self.patch:
            raise ValueError(
                f"expected a stride of at most the patch, {self.patch}, got {self.stride}; try stride=None"
            )

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        images = look.images
        count, _, height, width = images.shape
        patch = self.patch or max(1, min(height, width) // 8)
        stride = min(self.stride or max(1, patch // 2), patch)
        places = list(product(corners(height, patch, stride), corners(width, patch, stride)))
        clean = look.goal.score(look.logits)
        falls = torch.zeros(count, height, width, dtype=clean.dtype, device=images.device)
        cover = torch.zeros(height, width, dtype=clean.dtype, device=images.device)
        jobs = [(image, place) for place in places for image in range(count)]
        batches = [jobs[start : start + self.batch_size] for start in range(0, len(jobs), self.batch_size)]
        for batch in rounds(batches, self.name, show=self.progress):
            index = torch.tensor([image for image, _ in batch], device=images.device)
            covered = images[index]
            for row, (_, (y, x)) in enumerate(batch):
                covered[row, :, y : y + patch, x : x + patch] = self.value
            fall = clean[index] - look.network.score(covered, look.goal, index)
            for row, (image, (y, x)) in enumerate(batch):
                falls[image, y : y + patch, x : x + patch] += fall[row]
        for y, x in places:
            cover[y : y + patch, x : x + patch] += 1
        return falls / cover
