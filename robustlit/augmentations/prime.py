"""PRIME: mixtures of chains of primitives of maximum entropy."""

import math

import torch
from torch import Tensor

from robustlit.augmentations.augmix import check_chains, check_weight, weighted
from robustlit.augmentations.base import AugmentationOp, ranges
from robustlit.augmentations.chains import ChainParams, Operation, chain_caption, draw_chains, mix_chains
from robustlit.augmentations.primitives import color_curves, displacements, filter_each, remap, temperatures
from robustlit.augmentations.regions import integers
from robustlit.core.random import fold, normal, uniform

__all__ = ["PRIME"]

_LEAST = 2  # smallest largest frequency of a displacement


class PRIME(AugmentationOp[ChainParams]):
    """Random chains of diffeomorphisms, 3×3 filters and colour curves, mixed with each other and with the image.

    Modas et al., "PRIME: A few primitives can boost robustness to common corruptions" (ECCV 2022). Every sample has
    chains and draws of its own, and only the primitive that a step drew is computed. As in the authors' training,
    strengths are drawn anew each time: frequencies and temperatures up to the settings' largest, the filter's deviation
    up to ``sigma``. Unlike theirs, the filter's centre is the middle tap, so that a weak one does not move the image.

    Args:
        diffeo_cut: Largest frequency of a displacement field, 3 or more.
        color_cut: Largest frequency of a colour curve.
        temperature: Largest variance of a colour curve's weights.
        bandwidth: How many neighbouring frequencies a colour curve has; all unless given.
        sigma: Largest standard deviation of a filter's taps around the identity.
        width: How many chains are mixed.
        depth: Primitives a chain, or the range from which that is drawn for every chain.
        p: Probability that an image is changed.
        geometric: Whether diffeomorphisms are among the primitives. Mixtures of differently moved images have no class
            mask, so segmentation needs ``geometric=False``.
        jsd_weight: Weight of the Jensen–Shannon term that the callback ``Augmentation`` adds to the loss, 12 in the
            paper: the network's step then sees the images as they are, and two mixtures of each in the added term,
            which makes a step about three times as dear. 0 trains on one mixture, without a term.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> PRIME()(torch.rand(2, 3, 32, 32), seed=0).shape
        torch.Size([2, 3, 32, 32])
    """

    resembles = ("elastic_transform",)

    schedulable = ranges(temperature=(0.0, math.inf), sigma=(0.0, math.inf))

    def __init__(
        self,
        diffeo_cut: int = 100,
        color_cut: int = 100,
        temperature: float = 0.01,
        bandwidth: int | None = None,
        sigma: float = 4.0,
        width: int = 3,
        depth: int | tuple[int, int] = (1, 3),
        p: float = 1.0,
        *,
        geometric: bool = True,
        jsd_weight: float = 0.0,
    ) -> None:
        super().__init__(p)
        self.jsd_weight = check_weight(jsd_weight)
        if diffeo_cut <= _LEAST or color_cut < 1 or (bandwidth is not None and bandwidth < 1):
            raise ValueError(
                f"expected diffeo_cut of at least 3, color_cut and bandwidth of at least 1, got {diffeo_cut}, "
                f"{color_cut} and {bandwidth}; try 100, 100 and None"
            )
        if temperature < 0 or sigma < 0:
            raise ValueError(
                f"expected temperature and sigma of at least 0, got {temperature} and {sigma}; try 0.01 and 4.0"
            )
        self.diffeo_cut, self.color_cut, self.bandwidth = diffeo_cut, color_cut, bandwidth
        self.temperature, self.sigma = temperature, sigma
        self.width, self.depth = check_chains(width, depth)
        self.geometric = geometric

    @classmethod
    def imagenet(cls) -> "PRIME":
        """Return the authors' setting for 224-pixel images; the default is theirs for CIFAR."""
        return cls(diffeo_cut=500, color_cut=500, temperature=0.05, bandwidth=20)

    def sample(self, shape: torch.Size, seeds: Tensor) -> ChainParams:
        """Draw every image's chains and weights for a batch N×C×H×W."""
        return draw_chains(seeds, self.choose(seeds), 2 + self.geometric, self.width, self.depth, 1.0)

    def change(self, images: Tensor, params: ChainParams) -> Tensor:
        """Run and mix drawn chains."""
        runs = (self._color, self._filter, self._diffeomorphism)[: 2 + self.geometric]
        return mix_chains(images, params, [Operation(_seeds, run) for run in runs])

    def caption(self, params: ChainParams, row: int) -> str:
        """Name one sample's chains and their weights."""
        return chain_caption(params, row, ("color", "filter", "diffeomorphism"))

    def change_targets(self, targets: Tensor, params: ChainParams, num_classes: int) -> Tensor:
        """Return the targets as they are.

        Raises:
            ValueError: If they are class masks, and images are moved.
        """
        if targets.ndim > 2 and self.geometric:
            raise ValueError(
                f"expected targets N or N×K for PRIME, got {tuple(targets.shape)}; try PRIME(geometric=False)"
            )
        return targets

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return (
            f"diffeo_cut={self.diffeo_cut}, color_cut={self.color_cut}, temperature={self.temperature}, "
            f"sigma={self.sigma}, width={self.width}, depth={self.depth}, p={self.p}{weighted(self)}"
        )

    def _color(self, images: Tensor, seeds: Tensor) -> Tensor:
        draws = uniform(fold(seeds, "color"), (3,))
        cut = 1 + integers(draws[:, 0], self.color_cut)
        first, last = torch.ones_like(cut), cut
        if self.bandwidth is not None:
            first = 1 + (draws[:, 2] * cut).long()
            last = torch.minimum(cut, first + self.bandwidth - 1)
        frequency = torch.arange(1, self.color_cut + 1, device=seeds.device)
        kept = (frequency >= first[:, None]) & (frequency <= last[:, None])
        scale = kept * (draws[:, 1:2] * self.temperature).sqrt()
        weights = normal(fold(seeds, "color weights"), (images.shape[1], self.color_cut))
        return color_curves(images, weights * scale[:, None])

    def _filter(self, images: Tensor, seeds: Tensor) -> Tensor:
        deviation = uniform(fold(seeds, "filter sigma")) * self.sigma
        kernels = normal(fold(seeds, "filter"), (3, 3)) * deviation[:, None, None]
        kernels[:, 1, 1] += 1
        return filter_each(images, kernels)

    def _diffeomorphism(self, images: Tensor, seeds: Tensor) -> Tensor:
        height, width = images.shape[2:]
        draws = uniform(fold(seeds, "diffeo"), (3,))
        most = _LEAST + 1 + integers(draws[:, 0], self.diffeo_cut - _LEAST)
        cut = _LEAST + (_arcsine(draws[:, 1]) * (most + 1 - _LEAST)).long()
        cut = torch.minimum(cut, most)
        heat = temperatures(_arcsine(draws[:, 2]), cut.float(), min(height, width)).sqrt()[:, None, None]
        fields = displacements(fold(seeds, "field"), cut, self.diffeo_cut, (height, width))
        return remap(images, fields[:, 0] * (heat * width), fields[:, 1] * (heat * height))


def _arcsine(draws: Tensor) -> Tensor:
    """Turn uniform numbers into draws of Beta(1/2, 1/2)."""
    return (draws * (math.pi / 2)).sin().square()


def _seeds(levels: Tensor, seeds: Tensor, size: tuple[int, int]) -> Tensor:
    return seeds
