"""Style by colour statistics in the l-alpha-beta space."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp, StyleParams
from robustlit.core.cached import cached_tensors

__all__ = ["Reinhard", "map_between", "opponent_moments", "reinhard"]

# Reinhard et al. 2001, equations 2 to 6: cone responses, and the decorrelated axes of their logarithms (Ruderman et al.
# 1998). Logarithms to any base give the same transfer, because it is linear in them.
_TO_LMS = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))
_SUMS = ((1.0, 1.0, 1.0), (1.0, 1.0, -2.0), (1.0, -1.0, 0.0))
_SCALES = (1 / math.sqrt(3), 1 / math.sqrt(6), 1 / math.sqrt(2))
_DARK = 1 / 255  # pixels are lifted to it, for the logarithm
_SMALLEST = 1e-3  # an axis that varies by less is not stretched any further


def opponent_moments(images: Tensor) -> Tensor:
    """Return mean and standard deviation of l, alpha and beta: N×3×H×W to N×3×2, from the log cones' covariance."""
    to_axes = _matrices(images.device).to_axes
    cones = _log_cones(images)
    mean = cones.mean(2)
    centred = cones.sub_(mean[..., None])
    covariance = torch.bmm(centred, centred.transpose(1, 2)) / cones.shape[2]
    variance = (to_axes @ covariance @ to_axes.t()).diagonal(dim1=1, dim2=2)
    return torch.stack((mean @ to_axes.t(), variance.clamp(min=0).sqrt()), -1)


def map_between(own: Tensor, style: Tensor) -> Tensor:
    """Return the affine map of log cone responses, N×3×4, that turns moments of the axes, N×3×2, into others."""
    to_axes = _matrices(own.device).to_axes
    scale = style[..., 1] / own[..., 1].clamp(min=_SMALLEST)
    shift = style[..., 0] - own[..., 0] * scale
    return torch.cat(((to_axes.t() * scale[:, None, :]) @ to_axes, (shift @ to_axes)[..., None]), -1)


def reinhard(images: Tensor, cone_map: Tensor) -> Tensor:
    """Map the logarithms of cone responses.

    Args:
        images: Float32 N×3×H×W in [0, 1].
        cone_map: Float32 N×3×4: a matrix and a shift.

    Returns:
        Float32 N×3×H×W, not clipped; pixels below 1/255 count as that.
    """
    mapped = torch.baddbmm(cone_map[..., 3:], cone_map[..., :3], _log_cones(images))
    return torch.matmul(_matrices(images.device).from_cones, mapped.exp_()).view(images.shape)


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

    def describe(self, images: Tensor) -> Tensor:
        """Return the moments of images."""
        return opponent_moments(images)

    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Return the map of each image's log cones."""
        return map_between(own, style)

    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Map the log cones."""
        return reinhard(images, ready)


def _log_cones(images: Tensor) -> Tensor:
    """Return the logarithm of the cone responses, N×3×P."""
    return torch.matmul(_matrices(images.device).to_cones, images.clamp(min=_DARK).flatten(2)).log_()


class _Spaces(NamedTuple):
    to_cones: Tensor
    to_axes: Tensor  # of logarithms of cone responses; orthonormal, so the way back is its transpose
    from_cones: Tensor


@cached_tensors(8)
def _matrices(device: torch.device) -> _Spaces:
    to_axes = torch.tensor(_SCALES, dtype=torch.float64)[:, None] * torch.tensor(_SUMS, dtype=torch.float64)
    to_cones = torch.tensor(_TO_LMS, dtype=torch.float64)
    matrices = (to_cones, to_axes, to_cones.inverse())
    return _Spaces(*(matrix.to(device, torch.float32).contiguous() for matrix in matrices))
