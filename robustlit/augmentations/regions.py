"""Where an augmentation works: the whole image, a square patch, Voronoi cells or the masks of classes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from robustlit.core.random import fold, uniform

__all__ = [
    "ClassMasks",
    "ClassMasksParams",
    "FullImage",
    "Region",
    "RegionParams",
    "SquarePatch",
    "SquarePatchParams",
    "Voronoi",
    "VoronoiParams",
    "inside_box",
    "inside_patch",
    "integers",
]


@dataclass(frozen=True)
class RegionParams:
    """What was drawn for a batch; subclasses add their own per-sample tensors."""


Drawn = TypeVar("Drawn", bound=RegionParams)


class Region(ABC, Generic[Drawn]):
    """Base of the regions: ``sample`` draws, ``cells`` gives every pixel's cell number.

    Attributes:
        count: How many cell numbers there are; an operation draws a style or a strength for each.
        needs_masks: Whether ``cells`` reads class masks.
    """

    count: int = 1
    needs_masks: bool = False

    @abstractmethod
    def sample(self, shape: torch.Size, seeds: Tensor) -> Drawn:
        """Draw the regions of images N×C×H×W from int64 seeds of shape N."""

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        from robustlit.augmentations.settings import settings_of

        return settings_of(self)

    @abstractmethod
    def cells(self, params: Drawn, size: tuple[int, int], masks: Tensor | None = None) -> Tensor:
        """Return int64 N×H×W: each pixel's cell number, 0 … ``count`` - 1, or -1 outside the region."""


class FullImage(Region[RegionParams]):
    """All of the image, in one cell."""

    def sample(self, shape: torch.Size, seeds: Tensor) -> RegionParams:
        """Draw nothing."""
        return RegionParams()

    def cells(self, params: RegionParams, size: tuple[int, int], masks: Tensor | None = None) -> Tensor:
        """Return zeros, 1×H×W for any batch."""
        return torch.zeros(1, *size, dtype=torch.int64)

    def __repr__(self) -> str:
        return "FullImage()"


@dataclass(frozen=True)
class SquarePatchParams(RegionParams):
    """Square patches.

    Args:
        top: First row, int64 of shape N; negative where the border cuts the patch.
        left: First column, likewise.
        side: Side in pixels, int64 of shape N.
    """

    top: Tensor
    left: Tensor
    side: Tensor


class SquarePatch(Region[SquarePatchParams]):
    """A square whose centre is uniform over the pixels, cut at the image's border (Lopes et al. 2019).

    Args:
        size: Side in pixels; it may be larger than the image.
        sample_up_to: Whether the side is drawn uniformly from 1 … ``size`` for every image.

    Raises:
        ValueError: If the patch is smaller than one pixel.
    """

    def __init__(self, size: int = 25, *, sample_up_to: bool = False) -> None:
        if size < 1:
            raise ValueError(f"expected a patch of at least 1 pixel, got {size}; try 25")
        self.size = size
        self.sample_up_to = sample_up_to

    def sample(self, shape: torch.Size, seeds: Tensor) -> SquarePatchParams:
        """Draw a place and, where asked for, a side for every image."""
        return self.place(shape, uniform(fold(seeds, "patch"), (3,)))

    def place(self, shape: torch.Size, draws: Tensor) -> SquarePatchParams:
        """Turn uniform numbers N×3 into patches."""
        row, column = integers(draws[:, 0], shape[-2]), integers(draws[:, 1], shape[-1])
        side = integers(draws[:, 2], self.size) + 1 if self.sample_up_to else torch.full_like(row, self.size)
        half = side // 2
        return SquarePatchParams(row - half, column - half, side)

    def cells(self, params: SquarePatchParams, size: tuple[int, int], masks: Tensor | None = None) -> Tensor:
        """Return 0 inside the patch and -1 outside."""
        return inside_patch(params.top, params.left, params.side, size).long() - 1

    def __repr__(self) -> str:
        return f"SquarePatch({self.size}{', sample_up_to=True' if self.sample_up_to else ''})"


@dataclass(frozen=True)
class VoronoiParams(RegionParams):
    """Voronoi sites.

    Args:
        rows: Row of every cell's site, int64 N×K.
        columns: Column, likewise.
    """

    rows: Tensor
    columns: Tensor


class Voronoi(Region[VoronoiParams]):
    """Voronoi cells around random pixels, all of the image: a style a cell (as in arXiv 2507.10239, 2025).

    Args:
        cells: How many there are. The cost of an operation grows with it.

    Raises:
        ValueError: If there is less than one cell.
    """

    def __init__(self, cells: int = 8) -> None:
        if cells < 1:
            raise ValueError(f"expected at least 1 Voronoi cell, got {cells}; try 8")
        self.count = cells

    def sample(self, shape: torch.Size, seeds: Tensor) -> VoronoiParams:
        """Draw one site a cell, uniform over the pixels."""
        draws = uniform(fold(seeds, "sites"), (2, self.count))
        return VoronoiParams(integers(draws[:, 0], shape[-2]), integers(draws[:, 1], shape[-1]))

    def cells(self, params: VoronoiParams, size: tuple[int, int], masks: Tensor | None = None) -> Tensor:
        """Return the number of the nearest site; the lower one where two are equally near."""
        rows, columns = (torch.arange(length, device=params.rows.device) for length in size)
        down = (rows - params.rows[..., None]).square()
        across = (columns - params.columns[..., None]).square()
        nearest = torch.zeros(len(down), *size, dtype=torch.int64, device=rows.device)
        least = down[:, 0, :, None] + across[:, 0, None, :]
        for cell in range(1, self.count):
            distance = down[:, cell, :, None] + across[:, cell, None, :]
            nearest.masked_fill_(distance < least, cell)
            least = torch.minimum(least, distance)
        return nearest

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {"cells": self.count}

    def __repr__(self) -> str:
        return f"Voronoi({self.count})"


@dataclass(frozen=True)
class ClassMasksParams(RegionParams):
    """Which classes are in the region.

    Args:
        cell: Cell number of every class, int64 N×K; -1 for classes that stay as they are.
    """

    cell: Tensor


class ClassMasks(Region[ClassMasksParams]):
    """The pixels of some classes, drawn for every image; for segmentation, whose masks it reads.

    Args:
        num_classes: How many classes there are.
        share: Probability that a class is in the region.
        styles: How many cell numbers the classes share among them; the cost of an operation grows with it.

    Raises:
        ValueError: If a number is out of its range.
    """

    needs_masks = True

    def __init__(self, num_classes: int, share: float = 0.5, styles: int = 1) -> None:
        if num_classes < 1 or styles < 1:
            raise ValueError(f"expected num_classes and styles of at least 1, got {num_classes} and {styles}; try 1")
        if not 0 <= share <= 1:
            raise ValueError(f"expected share in [0, 1], got {share}; try 0.5")
        self.num_classes = num_classes
        self.share = share
        self.count = styles

    def sample(self, shape: torch.Size, seeds: Tensor) -> ClassMasksParams:
        """Draw which classes are in the region, and each one's cell number."""
        draws = uniform(fold(seeds, "classes"), (2, self.num_classes))
        return ClassMasksParams(integers(draws[:, 1], self.count).masked_fill(draws[:, 0] >= self.share, -1))

    def cells(self, params: ClassMasksParams, size: tuple[int, int], masks: Tensor | None = None) -> Tensor:
        """Return each pixel's class's cell number; -1 too where the mask holds no class, such as the ignore index.

        Raises:
            ValueError: If there are no masks.
        """
        if masks is None:
            raise ValueError("expected class masks for the region ClassMasks, got none; try it on segmentation data")
        known = (masks >= 0) & (masks < self.num_classes)
        classes = masks.long().masked_fill(~known, 0)
        cells = params.cell.gather(1, classes.flatten(1)).view(masks.shape)
        return cells.masked_fill_(~known, -1)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {"num_classes": self.num_classes, "share": self.share, "styles": self.count}

    def __repr__(self) -> str:
        return f"ClassMasks({self.num_classes}, share={self.share}, styles={self.count})"


def integers(draws: Tensor, count: int) -> Tensor:
    """Turn uniform numbers in [0, 1) into integers of 0 … count-1, int64; 24 bits never round up to ``count``."""
    return (draws * count).to(torch.int64)


def inside_patch(top: Tensor, left: Tensor, side: Tensor, size: tuple[int, int]) -> Tensor:
    """Return bool N×H×W: which pixels lie in the squares of int64 top, left and side, each of shape N."""
    return inside_box(top, left, top + side, left + side, size)


def inside_box(top: Tensor, left: Tensor, bottom: Tensor, right: Tensor, size: tuple[int, int]) -> Tensor:
    """Return bool N×H×W: which pixels lie in boxes of int64 borders, each of shape N, the last two exclusive."""
    rows, columns = _between(size[0], top, bottom), _between(size[1], left, right)
    return rows[:, :, None] & columns[:, None, :]


def _between(length: int, start: Tensor, stop: Tensor) -> Tensor:
    position = torch.arange(length, device=start.device)[None]
    return (position >= start[:, None]) & (position < stop[:, None])
