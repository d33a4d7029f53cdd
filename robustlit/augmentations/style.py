"""What every weight-free style operation shares: whose style, where, and how much of it."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, at, change_chosen, in_parts, ranges
from robustlit.augmentations.mixing import mix_labels, partners
from robustlit.augmentations.regions import FullImage, Region, RegionParams, integers
from robustlit.augmentations.style_images import at_size, style_images
from robustlit.core.random import fold, uniform

__all__ = ["Span", "StyleOp", "StyleParams", "span"]

Span: TypeAlias = float | tuple[float, float]


@dataclass(frozen=True)
class StyleParams(Params):
    """What was drawn for a batch of N images and a region of K cells.

    Args:
        chosen: bool of shape N.
        style: Position of every cell's style in the batch, or in the bank of styles; int64 N×K.
        alpha: How much of the style, float32 of shape N.
        region: What the region drew.
        detail: What the method draws besides, each of shape N×K×….
    """

    style: Tensor
    alpha: Tensor
    region: RegionParams
    detail: tuple[Tensor, ...] = ()


class StyleOp(AugmentationOp[StyleParams]):
    """Base of the style operations that need no network.

    Styles are those of other samples of the batch, so what a sample becomes depends on the batch; with ``styles`` it
    does not. Subclasses write ``describe``, ``prepare`` and
    ``restyle``.

    Args:
        p: Probability that an image is changed.
        alpha: How much of the style, in [0, 1], or a range from which it is drawn for every image.
        region: Where the style is changed; the whole image unless given. The cost grows with its number of cells.
        styles: Style images, float S×C×H×W in [0, 1] or a folder of pictures; by default those of the batch.
        label_gamma: Where given, the weight of a sample's own label; the rest is of the one whose style it got, as in
            Li et al., "Shape-Texture Debiased Neural Network Training" (ICLR 2021), who use 0.8. It needs styles of the
            batch, a region of one cell, and soft labels.

    Attributes:
        method: Name for ``StyleTransfer(method=…)``.
        uses_styles: Whether there are style images at all.
        is_brief: Whether descriptions are so much smaller than images that those of a batch are kept together.

    Raises:
        ValueError: If a number is out of its range, or a folder cannot be read.
    """

    method: ClassVar[str]
    uses_styles: ClassVar[bool] = True
    is_brief: ClassVar[bool] = True
    schedulable = ranges(alpha=(0.0, 1.0))

    def __init__(
        self,
        p: float = 0.5,
        alpha: Span = 1.0,
        region: Region[Any] | None = None,
        styles: Tensor | str | Path | None = None,
        label_gamma: float | None = None,
    ) -> None:
        super().__init__(p)
        self.alpha = span("alpha", alpha, 1.0)
        self.region = region or FullImage()
        self.needs_masks = self.region.needs_masks
        self.needs_partners = self.uses_styles and styles is None
        self.changes_targets = label_gamma is not None
        self.styles = styles
        self.bank = None if styles is None else style_images(styles)
        self._known: tuple[Any, Tensor] | None = None
        if label_gamma is not None:
            if not 0 <= label_gamma <= 1:
                raise ValueError(f"expected label_gamma in [0, 1], got {label_gamma}; try 0.8")
            if styles is not None or self.region.count > 1 or not self.uses_styles:
                raise ValueError("expected styles of the batch and one cell with label_gamma; try label_gamma=None")
        self.label_gamma = label_gamma

    @abstractmethod
    def describe(self, images: Tensor) -> Tensor:
        """Return what of images M×C×H×W a change needs, of themselves and of their style images: M×…."""

    @abstractmethod
    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Turn the descriptions of M images and of their style images into what ``restyle`` needs, M×…."""

    @abstractmethod
    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Return new float32 images M×C×H×W in other styles."""

    def draw_detail(self, shape: torch.Size, seeds: Tensor) -> tuple[Tensor, ...]:
        """Draw what the method needs besides, each of shape N×K×…."""
        return ()

    def sample(self, shape: torch.Size, seeds: Tensor) -> StyleParams:
        """Draw whose style, where and how much for every image of a batch N×C×H×W."""
        draws = uniform(fold(seeds, "style"), (self.region.count + 1,))
        low, high = self.alpha
        picks = draws[:, 1:]
        return StyleParams(
            chosen=self.choose(seeds),
            style=partners(picks) if self.bank is None else integers(picks, len(self.bank)),
            alpha=low + (high - low) * draws[:, 0],
            region=self.region.sample(shape, fold(seeds, "region")),
            detail=self.draw_detail(shape, seeds),
        )

    def change(self, images: Tensor, params: StyleParams, masks: Tensor | None = None) -> Tensor:
        """Give images drawn styles."""
        cells = None
        if not isinstance(self.region, FullImage):
            cells = self.region.cells(params.region, (images.shape[2], images.shape[3]), masks)
        if images.device.type == "cpu" and not bool(params.chosen.any()):
            return images.clone()
        known, place, own_place = self._described(images, params)

        def ready(rows: Tensor, cell: int) -> Tensor:
            own, style = known.index_select(0, own_place[rows]), known.index_select(0, place[rows, cell])
            return self.prepare(own, style, *(values[rows, cell] for values in params.detail))

        everyone = torch.arange(len(images), device=images.device)
        at_once = [ready(everyone, cell) for cell in range(self.region.count)] if self.is_brief else None

        def restyled(rows: Tensor) -> Tensor:
            some = result = at(images, rows)
            alpha = params.alpha[rows][:, None, None, None]
            for cell in range(self.region.count):
                new = self.restyle(some, ready(rows, cell) if at_once is None else at(at_once[cell], rows))
                if cells is not None:
                    result = torch.lerp(result, new, alpha * (at(cells, rows) == cell)[:, None])
                else:
                    result = new if self.alpha == (1.0, 1.0) else torch.lerp(result, new, alpha)
            return result.clamp_(0, 1)

        return change_chosen(images, params.chosen, restyled)

    def change_targets(self, targets: Tensor, params: StyleParams, num_classes: int) -> Tensor:
        """Return soft labels where ``label_gamma`` asks for them."""
        if self.label_gamma is None:
            return targets
        weight = torch.where(params.chosen, self.label_gamma, 1.0)
        return mix_labels(targets, params.style[:, 0], weight, num_classes)

    def _described(self, images: Tensor, params: StyleParams) -> tuple[Tensor, Tensor, Tensor]:
        """Describe images and styles once each.

        Returns:
            The descriptions; where among them every cell's style is, int64 N×K; and every sample's own, int64 N.
        """
        own = torch.arange(len(images), device=images.device)
        if images.device.type != "cpu":
            known = self.describe(images)
            if self.bank is None:
                return known, params.style, own
            return torch.cat((known, self._bank(images))), params.style + len(images), own
        wanted = own[:, None] if self.bank is not None else torch.cat((own[:, None], params.style), 1)
        needed, found = torch.unique(wanted[params.chosen], return_inverse=True)
        parts = [self.describe(at(images, part)) for part in in_parts(needed, images[0].numel())]
        place = torch.zeros_like(wanted)
        place[params.chosen] = found
        if self.bank is None:
            return torch.cat(parts), place[:, 1:], place[:, 0]
        return torch.cat([*parts, self._bank(images)]), params.style + len(needed), place[:, 0]

    def _bank(self, images: Tensor) -> Tensor:
        """Describe the style images, once for each size of images."""
        key = images.shape[1:], images.device
        if self._known is None or self._known[0] != key:
            bank: Tensor = self.bank.to(images.device)  # type: ignore[union-attr]
            sized = at_size(bank, images.shape[1], (images.shape[2], images.shape[3]))
            self._known = key, torch.cat([self.describe(part) for part in torch.split(sized, 64)])
        return self._known[1]

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        styles = "" if self.bank is None else f", styles={len(self.bank)}"
        return f"p={self.p}, alpha={self.alpha}, region={self.region}{styles}"


def span(name: str, given: Span, largest: float) -> tuple[float, float]:
    """Return a number or a range as (low, high).

    Raises:
        ValueError: If it does not lie within 0 and ``largest``.
    """
    low, high = (given, given) if isinstance(given, (int, float)) else (given[0], given[1])
    if not 0 <= low <= high <= largest:
        raise ValueError(f"expected {name} or its range within 0 and {largest:g}, got {given}; try {largest / 2:g}")
    return float(low), float(high)
