"""AdaIN: the content of an image in the style of another picture, by a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.augmentations.adain.encoder import Encoder
from robustlit.augmentations.adain.network import StyleNetwork, fit_sides
from robustlit.augmentations.adain.statistics import ChannelStatistics, channel_statistics
from robustlit.augmentations.adain.style_bank import StyleBank
from robustlit.augmentations.base import AugmentationOp, Params
from robustlit.augmentations.regions import Region, RegionParams, integers
from robustlit.core.random import fold, uniform

__all__ = ["AdaIN", "AdaINParams"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class AdaINParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        style: int64 N×K for K cells of the region: a row of the style bank, or a partner's position in the batch.
        alpha: Share of the style, float32 of shape N.
        region: What the region drew; None without one.
    """

    style: Tensor
    alpha: Tensor
    region: RegionParams | None


class AdaIN(AugmentationOp[AdaINParams]):
    """Style transfer by adaptive instance normalization, on the chosen samples of a batch.

    Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization" (ICCV 2017); as an
    augmentation in Geirhos et al., "ImageNet-trained CNNs are biased towards texture" (ICLR 2019: alpha 1, styles from
    paintings), and with styles from the shuffled batch and mixed labels in Li et al., "Shape-texture debiased neural
    network training" (ICLR 2021: alpha 0.5, ``label_gamma`` 0.8).

    The networks run in the precision of the surrounding autocast (the Trainer's), all else in float32. They are frozen,
    never part of a state dict, and follow the images' device. Which samples pass them is read from the device, the
    only wait a batch. Same seeds give the same styles for any batch and, where they come from a folder, the same
    pictures up to the rounding of the network. Images of one channel are styled as grey pictures, and the luma of the
    result is taken. No gradient passes.

    Cost: 24 GMAC an image of 224 pixels with VGG-19 and a style bank, twice a training step of ResNet-50; with
    ``size=112`` a quarter of it. Every cell of a region beyond the first adds half of that.

    Args:
        encoder: A file: ``vgg_normalised.pth``, or torchvision's VGG-19 or VGG-16 weights; or an ``Encoder``.
        decoder: A file: a ``decoder.pth`` that was trained with this encoder; or a module.
        styles: A folder of pictures, a ``StyleBank``, or ``"batch"`` for the other samples of the batch.
        p: Probability that a sample is changed.
        alpha: Share of the style in [0, 1], fixed or drawn uniformly from a pair (low, high).
        size: Shorter side, in pixels, at which the networks work; None for the images' own. Larger than the images is
            allowed, and makes sense at 32 pixels, where a style has only 4×4 features.
        region: Where the style is seen: a ``SquarePatch``, ``Voronoi`` cells with a style each, or ``ClassMasks``; None
            for all of the image.
        label_gamma: Share in [0, 1] of a sample's own label where its style's label gets the rest; only with styles
            from the batch and without a region. None leaves the labels.

    Raises:
        ValueError: If a number is out of its range, ``label_gamma`` comes with a folder or a region, the folder is
            missing or empty, or a file (when it is first used) is missing or of another layout.

    Example:
        >>> from robustlit.augmentations.adain import Encoder, style_decoder
        >>> tiny = Encoder((4, 4, 8, 8)), style_decoder((8, 8, 4, 4))
        >>> images = torch.rand(4, 3, 32, 32)
        >>> AdaIN(*tiny, styles="batch", p=0.5)(images, seed=0).shape
        torch.Size([4, 3, 32, 32])
    """

    def __init__(
        self,
        encoder: str | Path | Encoder | None = None,
        decoder: str | Path | nn.Module | None = None,
        styles: str | Path | StyleBank = "batch",
        p: float = 0.5,
        *,
        alpha: float | tuple[float, float] = 1.0,
        size: int | None = None,
        region: Region | None = None,
        label_gamma: float | None = None,
    ) -> None:
        super().__init__(p)
        self.alpha = (alpha, alpha) if isinstance(alpha, int | float) else (alpha[0], alpha[1])
        if not 0 <= self.alpha[0] <= self.alpha[1] <= 1:
            raise ValueError(f"expected alpha in [0, 1], or such a pair in order, got {alpha}; try alpha=0.5")
        if size is not None and size < 16:
            raise ValueError(f"expected size of at least 16 pixels, got {size}; try 112")
        if label_gamma is not None and not 0 <= label_gamma <= 1:
            raise ValueError(f"expected label_gamma in [0, 1], got {label_gamma}; try 0.8")
        if label_gamma is not None and (styles != "batch" or region is not None):
            raise ValueError(
                f"expected label_gamma with styles from the batch and no region, got styles={styles} and "
                f"region={region}; try label_gamma=null"
            )
        self.size, self.label_gamma, self.region = size, label_gamma, region
        self.needs_masks = region is not None and region.needs_masks
        self.bank = styles if isinstance(styles, StyleBank) else None if styles == "batch" else StyleBank(styles)
        self._network = StyleNetwork(encoder, decoder)  # no nn.Module, hence no part of a state dict

    def sample(self, shape: torch.Size, seeds: Tensor) -> AdaINParams:
        """Draw who is changed, and whose style at which strength each gets; never its own if there is another."""
        low, high = self.alpha
        pick = uniform(fold(seeds, "style"), (1 if self.region is None else self.region.count,))
        if self.bank is None:
            place = torch.arange(shape[0], device=seeds.device)[:, None]
            style = (place + 1 + integers(pick, max(shape[0] - 1, 1))) % shape[0]
        else:
            style = integers(pick, len(self.bank))
        region = None if self.region is None else self.region.sample(shape, fold(seeds, "region"))
        alpha = low + (high - low) * uniform(fold(seeds, "alpha"))
        return AdaINParams(self.choose(seeds), style, alpha, region)

    def apply(self, images: Any, params: AdaINParams | None = None, masks: Tensor | None = None) -> Any:
        """Apply drawn parameters; unlike other operations in the surrounding autocast, which the networks are to have.

        With a function alone it is ``nn.Module.apply``.
        """
        if params is None:
            return super().apply(images)
        if self.needs_masks:
            self._check_masks(images, masks)
        return self.change(images.float(), params, masks).to(images.dtype)

    @torch.no_grad()
    def change(self, images: Tensor, params: AdaINParams, masks: Tensor | None = None) -> Tensor:
        """Return images in which the chosen samples have the drawn styles."""
        if images.shape[1] not in (1, 3):
            raise ValueError(f"expected images of 1 or 3 channels, got {images.shape[1]}; try another augmentation")
        rows = params.chosen.nonzero()[:, 0]
        if len(rows) == 0:
            return images.clone()
        features, style = self._encoded(images, rows, params.style[rows])
        cells = self._cells(images, params, masks)[rows]
        changed = images[rows]
        for cell in range(params.style.shape[1]):
            one = ChannelStatistics(style.mean[:, cell], style.std[:, cell])
            pictures = _like(self._network.restyled(features, one, params.alpha[rows]), images)
            changed = torch.where((cells == cell)[:, None], pictures, changed)
        return images.index_copy(0, rows, changed)

    def change_targets(self, targets: Tensor, params: AdaINParams, num_classes: int) -> Tensor:
        """Mix the labels of the chosen samples with those of their styles, where ``label_gamma`` is given.

        Args:
            targets: Class indices N, or probabilities N×K.
            params: What was drawn.
            num_classes: K.

        Returns:
            Float32 N×K; the targets themselves without ``label_gamma``.

        Raises:
            ValueError: If the targets are masks.
        """
        if self.label_gamma is None:
            return targets
        if targets.ndim > 2:
            raise ValueError(
                f"expected targets N or N×K for label_gamma, got {targets.ndim} axes; try label_gamma=null"
            )
        own = F.one_hot(targets, num_classes).float() if targets.ndim == 1 else targets.float()
        mixed = self.label_gamma * own + (1 - self.label_gamma) * own[params.style[:, 0]]
        return torch.where(params.chosen[:, None], mixed, own)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        styles = "batch" if self.bank is None else f"{len(self.bank)} pictures"
        region = "" if self.region is None else f", region={self.region}"
        mixed = "" if self.label_gamma is None else f", label_gamma={self.label_gamma}"
        return f"styles={styles}, p={self.p}, alpha={self.alpha}, size={self.size}{region}{mixed}"

    def _encoded(self, images: Tensor, rows: Tensor, style: Tensor) -> tuple[Tensor, ChannelStatistics]:
        """Return the features of the chosen images, and the statistics that each is to get."""
        if self.bank is not None:
            styles = self.bank.statistics(self._network, images.device)
            return self._network.encode(self._input(images[rows])), styles.rows(style)
        needed, place = torch.unique(torch.cat([rows, style.flatten()]), return_inverse=True)
        features = self._network.encode(self._input(images[needed]))
        content, partner = place[: len(rows)], place[len(rows) :].view(style.shape)
        return features[content], channel_statistics(features).rows(partner)

    def _cells(self, images: Tensor, params: AdaINParams, masks: Tensor | None) -> Tensor:
        """Return the cell number of every pixel, int64 N×H×W; 0 without a region."""
        shape = (images.shape[0], *images.shape[2:])
        if self.region is None or params.region is None:
            return torch.zeros(1, 1, 1, dtype=torch.int64, device=images.device).expand(shape)
        return self.region.cells(params.region, shape[1:], masks).to(images.device).expand(shape)

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
