"""AdaIN: the content of an image in the style of another picture, by a network."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.augmentations.adain.encoder import Encoder
from robustlit.augmentations.adain.network import StyleNetwork, fit_sides
from robustlit.augmentations.adain.statistics import StyleStatistics, feature_statistics
from robustlit.augmentations.adain.style_bank import StyleBank
from robustlit.augmentations.base import AugmentationOp, ranges
from robustlit.augmentations.mixing import mix_labels, partners
from robustlit.augmentations.regions import FullImage, Region, integers
from robustlit.augmentations.style import Span, StyleParams, span
from robustlit.core.random import fold, uniform

__all__ = ["AdaIN"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class AdaIN(AugmentationOp[StyleParams]):
    """Style transfer by adaptive instance normalization, on the chosen samples of a batch.

    Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization" (ICCV 2017); as an
    augmentation in Geirhos et al., "ImageNet-trained CNNs are biased towards texture" (ICLR 2019: alpha 1, styles from
    paintings), and with styles from the shuffled batch and mixed labels in Li et al., "Shape-texture debiased neural
    network training" (ICLR 2021: alpha 0.5, ``label_gamma`` 0.8).

    The networks run in the precision of the surrounding autocast (the Trainer's), all else in float32. They are frozen,
    never part of a state dict, and follow the images' device. Which samples pass them is read from the device: one wait
    a batch, and a second for which other samples give styles. Same seeds give the same styles for any batch and, where
    they come from a folder, the same pictures up to the rounding of the network. Images of one channel are styled as
    grey pictures, and the luma of the result is taken. No gradient passes.

    Cost: 24 GMAC an image of 224 pixels with VGG-19 and a style bank, twice a training step of ResNet-50; with
    ``size=112`` a quarter of it. Every cell of a region beyond the first adds half of that.

    Args:
        encoder: A file: ``vgg_normalised.pth``, or torchvision's VGG-19 or VGG-16 weights; or an ``Encoder``.
        decoder: A file: a ``decoder.pth`` that was trained with this encoder; or a module.
        styles: A folder of pictures or a ``StyleBank``; by default the other samples of the batch.
        p: Probability that a sample is changed.
        alpha: Share of the style in [0, 1], or a range from which it is drawn for every image.
        size: Shorter side, in pixels, at which the networks work; None for the images' own. Larger than the images is
            allowed, and makes sense at 32 pixels, where a style has only 4×4 features.
        region: Where the style is seen: a ``SquarePatch``, ``Voronoi`` cells with a style each, or ``ClassMasks``; the
            whole image unless given.
        label_gamma: Where given, the weight of a sample's own label; the rest is of the one whose style it got. It
            needs styles of the batch, a region of one cell, and soft labels.

    Raises:
        ValueError: If a number is out of its range, ``label_gamma`` comes with a folder or several cells, the folder
            is missing or empty, or a file (when it is first used) is missing or of another layout.

    Example:
        >>> from robustlit.augmentations.adain import Encoder, style_decoder
        >>> tiny = Encoder((4, 4, 8, 8)), style_decoder((8, 8, 4, 4))
        >>> images = torch.rand(4, 3, 32, 32)
        >>> AdaIN(*tiny, p=0.5)(images, seed=0).shape
        torch.Size([4, 3, 32, 32])
    """

    schedulable = ranges(alpha=(0.0, 1.0))

    def __init__(
        self,
        encoder: str | Path | Encoder | None = None,
        decoder: str | Path | nn.Module | None = None,
        styles: str | Path | StyleBank | None = None,
        p: float = 0.5,
        *,
        alpha: Span = 1.0,
        size: int | None = None,
        region: Region | None = None,
        label_gamma: float | None = None,
    ) -> None:
        super().__init__(p)
        self.alpha = span("alpha", alpha, 1.0)
        if size is not None and size < 16:
            raise ValueError(f"expected size of at least 16 pixels, got {size}; try 112")
        if label_gamma is not None and not 0 <= label_gamma <= 1:
            raise ValueError(f"expected label_gamma in [0, 1], got {label_gamma}; try 0.8")
        self.size, self.label_gamma, self.region = size, label_gamma, region or FullImage()
        if label_gamma is not None and (styles is not None or self.region.count > 1):
            raise ValueError(
                f"expected styles of the batch and one cell with label_gamma, got styles={styles} and "
                f"{self.region.count} cells; try label_gamma=None"
            )
        self.needs_masks = self.region.needs_masks
        self.needs_partners, self.changes_targets = styles is None, label_gamma is not None
        self._given = encoder, decoder, styles  # a tuple hides networks from the state dict
        self.bank = styles if isinstance(styles, StyleBank | None) else StyleBank(styles)
        self._network = StyleNetwork(encoder, decoder)  # no nn.Module, hence no part of a state dict

    def sample(self, shape: torch.Size, seeds: Tensor) -> StyleParams:
        """Draw who is changed, and whose style at which strength each gets; never its own if there is another."""
        low, high = self.alpha
        picks = uniform(fold(seeds, "style"), (self.region.count,))
        return StyleParams(
            chosen=self.choose(seeds),
            style=partners(picks) if self.bank is None else integers(picks, len(self.bank)),
            alpha=low + (high - low) * uniform(fold(seeds, "alpha")),
            region=self.region.sample(shape, fold(seeds, "region")),
        )

    def apply(self, images: Any, params: StyleParams | None = None, masks: Tensor | None = None) -> Any:
        """Apply drawn parameters; unlike other operations in the surrounding autocast, which the networks are to have.

        With a function alone it is ``nn.Module.apply``.
        """
        if params is None:
            return super().apply(images)
        if self.needs_masks:
            self._check_masks(images, masks)
        return self.change(images.float(), params, masks).to(images.dtype)

    @torch.no_grad()
    def change(self, images: Tensor, params: StyleParams, masks: Tensor | None = None) -> Tensor:
        """Return images in which the chosen samples have the drawn styles."""
        if images.shape[1] not in (1, 3):
            raise ValueError(f"expected images of 1 or 3 channels, got {images.shape[1]}; try another augmentation")
        rows = params.chosen.nonzero()[:, 0]
        if len(rows) == 0:
            return images.clone()
        features, style = self._encoded(images, rows, params.style[rows])
        cells = None
        if not isinstance(self.region, FullImage):
            cells = self.region.cells(params.region, (images.shape[2], images.shape[3]), masks)[rows]
        changed = images[rows]
        for cell in range(params.style.shape[1]):
            one = StyleStatistics(style.mean[:, cell], style.std[:, cell])
            pictures = _like(self._network.restyled(features, one, params.alpha[rows]), images)
            changed = pictures if cells is None else torch.where((cells == cell)[:, None], pictures, changed)
        return images.index_copy(0, rows, changed)

    def change_targets(self, targets: Tensor, params: StyleParams, num_classes: int) -> Tensor:
        """Return soft labels where ``label_gamma`` asks for them, else the targets as they are."""
        if self.label_gamma is None:
            return targets
        weight = torch.where(params.chosen, self.label_gamma, 1.0)
        return mix_labels(targets, params.style[:, 0], weight, num_classes)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        encoder, decoder, styles = self._given
        given = {"encoder": encoder, "decoder": decoder, "styles": styles, "p": self.p}
        return {**given, **{name: getattr(self, name) for name in ("alpha", "size", "region", "label_gamma")}}

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        styles = "batch" if self.bank is None else f"{len(self.bank)} pictures"
        return f"p={self.p}, alpha={self.alpha}, region={self.region}, styles={styles}, size={self.size}"

    def _encoded(self, images: Tensor, rows: Tensor, style: Tensor) -> tuple[Tensor, StyleStatistics]:
        """Return the features of the chosen images, and the statistics that each is to get."""
        if self.bank is not None:
            styles = self.bank.statistics(self._network, images.device)
            return self._network.encode(self._input(images[rows])), styles.rows(style)
        needed, place = torch.unique(torch.cat([rows, style.flatten()]), return_inverse=True)
        features = self._network.encode(self._input(images[needed]))
        content, partner = place[: len(rows)], place[len(rows) :].view(style.shape)
        return features[content], feature_statistics(features).rows(partner)

    def _input(self, images: Tensor) -> Tensor:
        return fit_sides(images.expand(-1, 3, -1, -1), self.size)


def _like(pictures: Tensor, images: Tensor) -> Tensor:
    """Return pictures N×3×H'×W' in the size and the number of channels of images."""
    if pictures.shape[2:] != images.shape[2:]:
        pictures = F.interpolate(pictures, images.shape[2:], mode="bilinear", antialias=True)
    if images.shape[1] == 1:
        red, green, blue = pictures.unbind(1)
        pictures = (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]
    return pictures.clamp(0, 1)
