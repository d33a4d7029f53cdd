"""Style by colour statistics in the l-alpha-beta space."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp, StyleParams

__all__ = ["Reinhard", "opponent_moments", "reinhard"]

# Reinhard et al. 2001, equations 2 to 6: cone responses, and the decorrelated axes of their logarithms (Ruderman et al.
# 1998). Logarithms to any base give the same transfer, because it is linear in them.
_TO_LMS = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))
_SUMS = ((1.0, 1.0, 1.0), (1.0, 1.0, -2.0), (1.0, -1.0, 0.0))
_SCALES = (1 / math.sqrt(3), 1 / math.sqrt(6), 1 / math.sqrt(2))
_DARK = 1 / 255  # pixels are lifted to it, for the logarithm
_SMALLEST = 1e-3  # an axis that varies by less is not stretched any further


def opponent_moments(images: Tensor) -> Tensor:
    """Return mean and standard deviation of l, alpha and beta: N×3×H×W to N×3×2."""
    return _moments(_log_cones(images))


def reinhard(images: Tensor, style: Tensor) -> Tensor:
    """Scale and shift l, alpha and beta to given moments.

    Args:
        images: Float32 N×3×H×W in [0, 1].
        style: Mean and standard deviation of the three axes, N×3×2, of natural logarithms.

    Returns:
        Float32 N×3×H×W, not clipped; pixels below 1/255 count as that.
    """
    cones = _log_cones(images)
    mean, deviation = _moments(cones).unbind(-1)
    scale = style[..., 1] / deviation.clamp(min=_SMALLEST)
    shift = style[..., 0] - mean * scale
    spaces = _matrices(images.device)
    mixed = torch.bmm((spaces.from_axes * scale[:, None, :]) @ spaces.to_axes, cones)
    mixed.add_((shift @ spaces.to_axes)[..., None])
    return torch.matmul(spaces.from_cones, mixed.exp_()).view(images.shape)


class Reinhard(StyleOp):
    """Colours from another image: moments of the three decorrelated axes of the logarithm of cone responses.

    Reinhard et al., "Color Transfer between Images" (IEEE Computer Graphics and Applications 2001).

    Args:
        p: Probability that an image is changed.
        alpha: How much of the style, in [0, 1], or a range.
        region: Where the style is changed; the whole image unless given.
        styles: Style images S×3×H×W or a folder; by default the other samples of the batch.
        label_gamma: Weight of the own label where labels become soft, see ``StyleOp``.

    Raises:
        ValueError: If images have not three channels.

    Example:
        >>> Reinhard(p=1.0)(torch.rand(2, 3, 8, 8), seed=0).shape
        torch.Size([2, 3, 8, 8])
    """

    method = "reinhard"
    resembles = ("brightness", "contrast", "saturate")

    def sample(self, shape: torch.Size, seeds: Tensor) -> StyleParams:
        """Draw whose style, where and how much for every image of a batch N×3×H×W."""
        if shape[1] != 3:
            raise ValueError(f"expected images of 3 channels for Reinhard, got {shape[1]}; try ChannelStatistics")
        return super().sample(shape, seeds)

    def describe(self, styles: Tensor) -> Tensor:
        """Return the moments of style images."""
        return opponent_moments(styles)

    def restyle(self, images: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Scale and shift the three axes."""
        return reinhard(images, style)


def _log_cones(images: Tensor) -> Tensor:
    """Return the logarithm of the cone responses, N×3×P."""
    return torch.matmul(_matrices(images.device).to_cones, images.clamp(min=_DARK).flatten(2)).log_()


def _moments(cones: Tensor) -> Tensor:
    """Return mean and standard deviation of the axes, N×3×2, from the covariance of the log cones."""
    to_axes = _matrices(cones.device).to_axes
    mean = cones.mean(2)
    centred = cones - mean[..., None]
    covariance = torch.bmm(centred, centred.transpose(1, 2)) / cones.shape[2]
    variance = (to_axes @ covariance @ to_axes.t()).diagonal(dim1=1, dim2=2)
    return torch.stack((mean @ to_axes.t(), variance.clamp(min=0).sqrt()), -1)


class _Spaces(NamedTuple):
    to_cones: Tensor
    to_axes: Tensor  # of logarithms of cone responses; its rows are orthonormal
    from_axes: Tensor
    from_cones: Tensor


@lru_cache(maxsize=8)
def _matrices(device: torch.device) -> _Spaces:
    to_axes = torch.tensor(_SCALES, dtype=torch.float64)[:, None] * torch.tensor(_SUMS, dtype=torch.float64)
    to_cones = torch.tensor(_TO_LMS, dtype=torch.float64)
    matrices = (to_cones, to_axes, to_axes.t(), to_cones.inverse())
    return _Spaces(*(matrix.to(device, torch.float32).contiguous() for matrix in matrices))
