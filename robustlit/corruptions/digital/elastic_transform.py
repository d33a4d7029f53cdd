"""Elastic transform: a random affine map, then a smooth random displacement of every pixel."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, uniform
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.gaussian import gaussian_blur
from robustlit.corruptions.ops.sampling import nearest

__all__ = ["ElasticDraws", "ElasticTransform", "elastic_transform"]

_FAR = 2.0**30  # fixed-point coordinates end here, as OpenCV's end at 2³¹
_FIXED, _STEPS = 1024, 32  # OpenCV's fixed-point unit, and its steps a pixel


@dataclass(frozen=True)
class ElasticDraws(Draws):
    """How N images are bent.

    Args:
        jitter: How far the corners of a triangle move, in pixels, float32 N×3×2.
        fields: White noise, uniform in [-1, 1), along columns and along rows, float32 N×2×H×W.
    """

    jitter: Tensor
    fields: Tensor


def elastic_transform(images: Tensor, jitter: Tensor, fields: Tensor, alpha: float, sigma: float) -> Tensor:
    """Move images by the affine map that moves a triangle, then by smoothed noise.

    Both steps sample bilinearly. The first takes OpenCV's coordinates, whole steps of 1/32 pixel, and mirrors at the
    border pixels' centres; the second mirrors at their edges, as scipy's ``map_coordinates`` with ``mode="reflect"``.

    Args:
        images: float32 N×C×H×W.
        jitter: As in ``ElasticDraws``.
        fields: Likewise.
        alpha: Factor of the smoothed noise, in pixels.
        sigma: Of the smoothing, in pixels; it reaches 3·sigma.

    Returns:
        float32 N×C×H×W.
    """
    height, width = images.shape[-2:]
    places = _affine_places(_inverse_affine(jitter, height, width), height, width)
    places = _scaled(places, 2 / (height - 1), 2 / (width - 1)).sub_(1)
    moved = F.grid_sample(images, places.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=True)
    if alpha == 0:
        return moved
    places = _scaled(_displaced(fields, alpha, sigma).add_(0.5), 2 / height, 2 / width).sub_(1)
    return F.grid_sample(moved, places.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False)


class ElasticTransform(Corruption[ElasticDraws]):
    """A bent image (Hendrycks and Dietterich 2019, ImageNet-C), with the affine map that imagecorruptions leaves out.

    A level is the factor and the smoothness of the displacement and how far the triangle's corners move, all in pixels
    whatever the image's size; the triangle spans two thirds of the shorter side. Masks can be warped along.

    Example:
        >>> ElasticTransform().geometric
        True
    """

    name = "elastic_transform"
    levels: ClassVar = {
        "imagenet": tuple(
            (244 * alpha, 244 * sigma, 244 * affine)  # the source's 244, not 224
            for alpha, sigma, affine in (
                (2.0, 0.7, 0.1),
                (2.0, 0.08, 0.2),
                (0.05, 0.01, 0.02),
                (0.07, 0.01, 0.02),
                (0.12, 0.01, 0.02),
            )
        ),
        "tiny": tuple(
            (64 * alpha, 64 * sigma, 64 * affine)
            for alpha, sigma, affine in (
                (0.0, 0.0, 0.08),
                (0.05, 0.3, 0.06),
                (0.1, 0.08, 0.06),
                (0.1, 0.03, 0.03),
                (0.16, 0.03, 0.02),
            )
        ),
        "cifar": tuple(
            (32 * alpha, 32 * sigma, 32 * affine)
            for alpha, sigma, affine in (
                (0.0, 0.0, 0.08),
                (0.05, 0.2, 0.07),
                (0.08, 0.06, 0.06),
                (0.1, 0.04, 0.05),
                (0.1, 0.03, 0.03),
            )
        ),
    }
    geometric = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> ElasticDraws:
        """Draw the triangle's jitter and the noise."""
        jitter = uniform(fold(seeds, "jitter"), (3, 2)).mul_(2).sub_(1).mul_(level[2])
        return ElasticDraws(jitter, uniform(fold(seeds, "fields"), (2, *shape[2:])).mul_(2).sub_(1))

    def change(self, images: Tensor, draws: ElasticDraws, level: Level) -> Tensor:
        """Bend the images."""
        return elastic_transform(images, draws.jitter, draws.fields, level[0], level[1])

    def warp(self, masks: Tensor, draws: ElasticDraws, level: Level) -> Tensor:
        """Bend masks N×H×W of any dtype: one look-up of the nearest pixel for both steps."""
        height, width = masks.shape[-2:]
        columns, rows = _displaced(draws.fields, level[0], level[1]).unbind(1)
        columns, rows = _mirrored(columns + 0.5, width) - 0.5, _mirrored(rows + 0.5, height) - 0.5
        inverse = _inverse_affine(draws.jitter, height, width)
        slope, lean, shift = (inverse[..., i, None, None] for i in range(3))
        columns, rows = (slope * columns[:, None] + lean * rows[:, None] + shift).unbind(1)
        return nearest(masks, _mirrored(rows, height - 1), _mirrored(columns, width - 1))


def _inverse_affine(jitter: Tensor, height: int, width: int) -> Tensor:
    """From places after to places before the map that moves a triangle by the jitter: float64 N×2×3, columns first."""
    # the source makes the triangle from (height, width) and hands it to a function of (column, row)
    side = 2 * (min(height, width) // 3)
    corners = _triangle(height, width, jitter.device)
    moved = (corners + jitter).double()
    corner = corners[1].double()
    along, down = (moved[:, 1] - moved[:, 2]) / side, (moved[:, 0] - moved[:, 1]) / side
    shift = moved[:, 1] - along * corner[0] - down * corner[1]
    area = along[:, 0] * down[:, 1] - down[:, 0] * along[:, 1]
    scale = torch.where(area == 0, 0, 1 / area)  # OpenCV's answer to a triangle without area
    columns = torch.stack((down[:, 1] * scale, -down[:, 0] * scale), dim=-1)
    rows = torch.stack((-along[:, 1] * scale, along[:, 0] * scale), dim=-1)
    inverse = torch.stack((columns, rows), dim=1)
    return torch.cat((inverse, -(inverse * shift[:, None]).sum(-1, keepdim=True)), dim=-1)


def _affine_places(inverse: Tensor, height: int, width: int) -> Tensor:
    """Where each pixel is read, in whole steps of 1/32 pixel as OpenCV rounds them: columns and rows, N×2×H×W."""
    column = torch.arange(width, dtype=torch.float64, device=inverse.device)
    row = torch.arange(height, dtype=torch.float64, device=inverse.device)
    slope, lean, shift = (inverse[..., i, None] for i in range(3))
    across = (slope * column * _FIXED).round_().clamp_(-_FAR, _FAR)
    down = ((lean * row + shift) * _FIXED).round_().clamp_(-_FAR, _FAR).add_(_FIXED / _STEPS / 2)
    places = across.float()[:, :, None] + down.float()[..., None]
    return places.mul_(_STEPS / _FIXED).floor_().div_(_STEPS)


def _displaced(fields: Tensor, alpha: float, sigma: float) -> Tensor:
    """Where each pixel is read after the affine map: columns and rows, N×2×H×W."""
    places = gaussian_blur(fields, sigma, mode="reflect", truncate=3.0).mul_(alpha)
    places[:, 0] += torch.arange(fields.shape[3], device=fields.device)
    places[:, 1] += torch.arange(fields.shape[2], device=fields.device)[:, None]
    return places


def _scaled(places: Tensor, rows: float, columns: float) -> Tensor:
    """Multiply columns and rows N×2×H×W by a factor each, in place."""
    places[:, 0] *= columns
    places[:, 1] *= rows
    return places


def _mirrored(places: Tensor, length: int) -> Tensor:
    """Fold places into 0 … length, mirrored at both ends."""
    folded = places.remainder(2 * length)
    return torch.minimum(folded, 2 * length - folded)


@cached_tensors(32)
def _triangle(height: int, width: int, device: torch.device) -> Tensor:
    """The triangle's corners before they move, float32 3×2."""
    first, second, half = height // 2, width // 2, min(height, width) // 3
    corners = ((first + half, second + half), (first + half, second - half), (first - half, second - half))
    return torch.tensor(corners, dtype=torch.float32, device=device)
