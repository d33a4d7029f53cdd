"""Painting-by-Numbers: images blended with their class masks in fixed colours."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, at, change_chosen, ranges
from robustlit.augmentations.style import Span, span
from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, sample_seeds, uniform

__all__ = ["PaintingByNumbers", "PaintingByNumbersParams", "paint"]

_CANDIDATES = 1024


@dataclass(frozen=True)
class PaintingByNumbersParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        alpha: Weight of the paint, float32 of shape N.
    """

    alpha: Tensor


def paint(images: Tensor, masks: Tensor, colors: Tensor, alpha: Tensor, ignore_index: int | None = None) -> Tensor:
    """Blend images with their classes' colours.

    Args:
        images: Float32 N×C×H×W in [0, 1].
        masks: Class numbers, int N×H×W.
        colors: Float32 K×C in [0, 1].
        alpha: Weight of the paint, of shape N.
        ignore_index: Class number whose pixels keep their colour, as do those of numbers that are no class.

    Returns:
        Float32 N×C×H×W.
    """
    known = (masks >= 0) & (masks < len(colors))
    if ignore_index is not None:
        known &= masks != ignore_index
    classes = masks.long().masked_fill(~known, 0)
    painted = torch.index_select(colors, 0, classes.flatten()).view(*masks.shape, -1).permute(0, 3, 1, 2)
    return torch.lerp(images, painted, (alpha[:, None, None] * known)[:, None])


class PaintingByNumbers(AugmentationOp[PaintingByNumbersParams]):
    """Images blended with their class masks, every class in a fixed random colour, for segmentation.

    Kamann et al., "Increasing the Robustness of Semantic Segmentation Models with Painting-by-Numbers" (ECCV 2020,
    arXiv 2010.05495): a share of the batch loses texture and natural colour, so that shapes have to be learnt. It reads
    the masks and never changes them. The range of the weights is this project's choice.

    Args:
        num_classes: How many classes there are.
        alpha: Weight of the paint, in [0, 1], or a range from which it is drawn for every image.
        p: Probability that an image is changed.
        ignore_index: Class number whose pixels keep their colour.
        seed: Seed of the colours.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> masks = torch.zeros(2, 8, 8, dtype=torch.int64)
        >>> PaintingByNumbers(num_classes=3, alpha=1.0, p=1.0)(torch.rand(2, 3, 8, 8), 0, masks).flatten(2).std(2).max()
        tensor(0.)
    """

    needs_masks = True
    schedulable = ranges(alpha=(0.0, 1.0))

    def __init__(
        self,
        num_classes: int,
        alpha: Span = (0.7, 0.99),
        p: float = 0.5,
        ignore_index: int | None = 255,
        seed: int = 0,
    ) -> None:
        super().__init__(p)
        if not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"expected num_classes of at least 1, got {num_classes}; try the data set's number")
        self.num_classes = num_classes
        self.alpha = span("alpha", alpha, 1.0)
        self.ignore_index = ignore_index
        self.seed = seed

    def sample(self, shape: torch.Size, seeds: Tensor) -> PaintingByNumbersParams:
        """Draw the weight of the paint for every image of a batch N×C×H×W."""
        low, high = self.alpha
        return PaintingByNumbersParams(self.choose(seeds), low + (high - low) * uniform(fold(seeds, "alpha")))

    def change(self, images: Tensor, params: PaintingByNumbersParams, masks: Tensor | None = None) -> Tensor:
        """Blend images with their classes' colours."""
        if masks is None:
            raise ValueError("expected class masks for PaintingByNumbers, got none; try it on segmentation data")
        colors = class_colors(self.num_classes, images.shape[1], self.seed, images.device)
        return change_chosen(
            images,
            params.chosen,
            lambda rows: paint(at(images, rows), at(masks, rows), colors, params.alpha[rows], self.ignore_index),
        )

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"num_classes={self.num_classes}, alpha={self.alpha}, p={self.p}, ignore_index={self.ignore_index}"


@cached_tensors(8)
def class_colors(num_classes: int, channels: int, seed: int, device: torch.device) -> Tensor:
    """Return one random colour a class, far from those before it: float32 K×C in [0, 1].

    The first is random; each next one is, of 1,024 random candidates, the farthest from its nearest predecessor.
    """
    candidates = uniform(sample_seeds(seed, torch.arange(max(_CANDIDATES, num_classes))), (channels,))
    nearest = torch.full((len(candidates),), torch.inf)
    chosen = [0]
    for _ in range(num_classes - 1):
        nearest = torch.minimum(nearest, (candidates - candidates[chosen[-1]]).square().sum(1))
        chosen.append(int(nearest.argmax()))
    return candidates[chosen].to(device)
