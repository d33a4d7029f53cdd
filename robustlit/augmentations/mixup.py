"""MixUp: convex combinations of two images and of their labels."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp, Params, at, change_chosen, ranges
from robustlit.augmentations.draws import beta_draws
from robustlit.augmentations.mixing import mix_labels, partners
from robustlit.core.random import fold, uniform

__all__ = ["MixUp", "MixUpParams"]


@dataclass(frozen=True)
class MixUpParams(Params):
    """What was drawn for a batch of N images.

    Args:
        chosen: bool of shape N.
        partner: Position of the other image in the batch, int64 of shape N.
        weight: Weight of the own image and label, float32 of shape N; 1 where it is not chosen.
    """

    partner: Tensor
    weight: Tensor


class MixUp(AugmentationOp[MixUpParams]):
    """Mixtures of every image with another one of the batch, and of their labels.

    Zhang et al., "mixup: Beyond Empirical Risk Minimization" (ICLR 2018): the weight is Beta(alpha, alpha), here drawn
    for every sample; alpha is 0.2 on ImageNet and 1 on CIFAR. The labels become soft, which the module's step has to
    understand. There is no such thing for class masks; ``CutMix`` is.

    Args:
        alpha: Parameter of the beta distribution, above 0.
        p: Probability that an image is changed.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> op, seeds = MixUp(), torch.arange(2)
        >>> params = op.sample(torch.Size((2, 3, 8, 8)), seeds)
        >>> op.change_targets(torch.tensor([0, 1]), params, num_classes=2).sum(1)
        tensor([1., 1.])
    """

    needs_partners = True
    changes_targets = True
    schedulable = ranges(alpha=(1e-3, math.inf))

    def __init__(self, alpha: float = 0.2, p: float = 1.0) -> None:
        super().__init__(p)
        if alpha <= 0:
            raise ValueError(f"expected alpha above 0, got {alpha}; try 0.2")
        self.alpha = alpha

    def sample(self, shape: torch.Size, seeds: Tensor) -> MixUpParams:
        """Draw a partner and a weight for every image of a batch N×C×H×W."""
        chosen = self.choose(seeds)
        return MixUpParams(
            chosen=chosen,
            partner=partners(uniform(fold(seeds, "partner"))),
            weight=torch.where(chosen, beta_draws(fold(seeds, "weight"), self.alpha), 1.0),
        )

    def change(self, images: Tensor, params: MixUpParams) -> Tensor:
        """Mix images with their partners."""

        def mixed(rows: Tensor) -> Tensor:
            other = images.index_select(0, params.partner[rows])
            return torch.lerp(other, at(images, rows), params.weight[rows][:, None, None, None])

        return change_chosen(images, params.chosen, mixed)

    def change_targets(self, targets: Tensor, params: MixUpParams, num_classes: int) -> Tensor:
        """Return soft labels, float32 N×K.

        Raises:
            ValueError: If the targets are class masks.
        """
        return mix_labels(targets, params.partner, params.weight, num_classes)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"alpha={self.alpha}, p={self.p}"
