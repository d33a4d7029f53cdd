"""AugMix: mixtures of chains of simple operations."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, ranges
from robustlit.augmentations.chains import ChainParams, Operation, chain_caption, draw_chains, mix_chains
from robustlit.augmentations.point_ops import autocontrast, equalize, posterize, solarize
from robustlit.augmentations.warps import affine, shift

__all__ = ["AugMix"]

_MAXIMUM = 10  # the level at which an operation is at its strongest


class AugMix(AugmentationOp[ChainParams]):
    """Several random chains of simple operations, mixed with each other and with the image.

    Hendrycks et al., "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty" (ICLR 2020), with
    the operations of the published code that do not overlap with ImageNet-C: autocontrast, equalize, posterize, rotate,
    solarize, shear and translate along both axes. Every sample has chains of its own. With ``jsd_weight`` the callback
    trains with the paper's loss term, which takes two such versions of a batch. Translations are up to a third of the
    side, rotations 30 degrees, shears 0.3, all at level 10; the level is uniform from 0.1 to ``severity``.

    Args:
        severity: Largest level, from 0.1 to 10: 3 for CIFAR, 1 for ImageNet in the paper's code.
        width: How many chains are mixed.
        depth: Operations a chain, or the range from which that is drawn for every chain.
        alpha: Parameter of the Dirichlet and beta distributions of the weights.
        p: Probability that an image is changed.
        geometric: Whether rotations, shears and translations are among the operations. Mixtures of differently moved
            images have no class mask, so segmentation needs ``geometric=False``.
        jsd_weight: Weight of the Jensen–Shannon term that the callback ``Augmentation`` adds to the loss, 12 in the
            paper: the network's step then sees the images as they are, and two mixtures of each in the added term,
            which makes a step about three times as dear. 0 trains on one mixture, without a term.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> AugMix(severity=3)(torch.rand(2, 3, 32, 32), seed=0).shape
        torch.Size([2, 3, 32, 32])
    """

    schedulable = ranges(severity=(0.1, 10.0))

    def __init__(
        self,
        severity: float = 3.0,
        width: int = 3,
        depth: int | tuple[int, int] = (1, 3),
        alpha: float = 1.0,
        p: float = 1.0,
        *,
        geometric: bool = True,
        jsd_weight: float = 0.0,
    ) -> None:
        super().__init__(p)
        self.jsd_weight = check_weight(jsd_weight)
        if not 0.1 <= severity <= _MAXIMUM:
            raise ValueError(f"expected severity in [0.1, {_MAXIMUM}], got {severity}; try 3")
        self.severity = severity
        self.width, self.depth = check_chains(width, depth)
        if alpha <= 0:
            raise ValueError(f"expected alpha above 0, got {alpha}; try 1.0")
        self.alpha = alpha
        self.geometric = geometric

    def sample(self, shape: torch.Size, seeds: Tensor) -> ChainParams:
        """Draw every image's chains and weights for a batch N×C×H×W."""
        chosen = self.choose(seeds)
        return draw_chains(seeds, chosen, len(self._operations()), self.width, self.depth, self.alpha)

    def change(self, images: Tensor, params: ChainParams) -> Tensor:
        """Run and mix drawn chains."""
        return mix_chains(images, params, self._operations())

    def caption(self, params: ChainParams, row: int) -> str:
        """Name one sample's chains and their weights."""
        return chain_caption(params, row, _NAMES)

    def change_targets(self, targets: Tensor, params: ChainParams, num_classes: int) -> Tensor:
        """Return the targets as they are.

        Raises:
            ValueError: If they are class masks, and images are moved.
        """
        if targets.ndim > 2 and self.geometric:
            raise ValueError(
                f"expected targets N or N×K for AugMix, got {tuple(targets.shape)}; try AugMix(geometric=False)"
            )
        return targets

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        chains = f"severity={self.severity}, width={self.width}, depth={self.depth}, alpha={self.alpha}"
        return f"{chains}, p={self.p}{weighted(self)}"

    def _operations(self) -> tuple[Operation, ...]:
        steps = _PHOTOMETRIC + (_GEOMETRIC if self.geometric else ())
        return tuple(Operation(partial(_leveled, settings, self.severity), run) for settings, run in steps)


def weighted(operation: AugmentationOp) -> str:
    return f", jsd_weight={operation.jsd_weight}" if operation.jsd_weight else ""


def check_weight(jsd_weight: float) -> float:
    """Return the weight of the Jensen–Shannon term.

    Raises:
        ValueError: If it is below 0.
    """
    if jsd_weight < 0:
        raise ValueError(f"expected jsd_weight of at least 0, got {jsd_weight}; try 12")
    return jsd_weight


def check_chains(width: int, depth: int | tuple[int, int]) -> tuple[int, int | tuple[int, int]]:
    """Return the width and depth of chains, the depth as a number or a tuple.

    Raises:
        ValueError: If there is no chain, or a chain may have no operation.
    """
    least, most = (depth, depth) if isinstance(depth, int) else (depth[0], depth[1])
    if width < 1 or not 1 <= least <= most:
        raise ValueError(f"expected width and depth of at least 1, got {width} and {depth}; try 3 and (1, 3)")
    return width, depth if isinstance(depth, int) else (least, most)


_Settings: TypeAlias = Callable[[Tensor, Tensor, tuple[int, int]], Tensor]


def _leveled(settings: _Settings, severity: float, draws: Tensor, seeds: Tensor, size: tuple[int, int]) -> Tensor:
    """Turn draws in [-1, 1) into levels of 0.1 … severity, as shares of the strongest, and signs."""
    share = (0.1 + draws.abs() * (severity - 0.1)) / _MAXIMUM
    return settings(share, torch.where(draws < 0, -1.0, 1.0), size)


def _none(share: Tensor, sign: Tensor, size: tuple[int, int]) -> Tensor:
    return share


def _bits(share: Tensor, sign: Tensor, size: tuple[int, int]) -> Tensor:
    return 4 - (share * 4).floor()


def _threshold(share: Tensor, sign: Tensor, size: tuple[int, int]) -> Tensor:
    return 256 - (share * 256).floor()


def _rotation(share: Tensor, sign: Tensor, size: tuple[int, int]) -> Tensor:
    angle = torch.deg2rad((share * 30).floor() * sign)
    cosine, sine = angle.cos(), angle.sin()
    y, x = size[0] / 2, size[1] / 2
    rows = (cosine, -sine, x - cosine * x + sine * y), (sine, cosine, y - sine * x - cosine * y)
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def _shear(share: Tensor, sign: Tensor, size: tuple[int, int], axis: int) -> Tensor:
    matrix = torch.eye(2, 3, device=share.device).repeat(len(share), 1, 1)
    matrix[:, axis, 1 - axis] = share * 0.3 * sign
    return matrix


def _translation(share: Tensor, sign: Tensor, size: tuple[int, int], axis: int) -> Tensor:
    moved = torch.zeros(len(share), 2, device=share.device)
    moved[:, axis] = (share * (size[1 - axis] / 3)).floor() * sign
    return moved


_PHOTOMETRIC = (
    (_none, lambda images, _: autocontrast(images)),
    (_none, lambda images, _: equalize(images)),
    (_bits, posterize),
    (_threshold, solarize),
)
_GEOMETRIC = (
    (_rotation, affine),
    (partial(_shear, axis=0), affine),
    (partial(_shear, axis=1), affine),
    (partial(_translation, axis=0), shift),
    (partial(_translation, axis=1), shift),
)
_NAMES = (
    "autocontrast",
    "equalize",
    "posterize",
    "solarize",
    "rotate",
    "shear x",
    "shear y",
    "translate x",
    "translate y",
)
