"""Style by Fourier amplitudes: the low band of another image, with the own phase."""

import math

import torch
from torch import Tensor

from robustlit.augmentations.base import ranges
from robustlit.augmentations.style import Span, StyleOp, span
from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, uniform

__all__ = ["Fourier", "add_low_band", "low_band", "swap_amplitudes"]

_NOTHING = 1e-12  # a coefficient without amplitude has no phase to keep, and stays 0


def low_band(images: Tensor, reach: int) -> Tensor:
    """Return the low frequencies of images as products with cosines and sines: two small matrix products.

    Args:
        images: Float32 N×C×H×W.
        reach: Largest frequency in cycles per image, below half of either side.

    Returns:
        float32 N×C×2×K×2×K with K = reach + 1: cosine or sine and frequency of the rows, then of the columns.
    """
    down, across = (_waves(length, reach + 1, images.device) for length in images.shape[2:])
    products = torch.matmul(down, torch.matmul(images, across.t()))
    return products.view(*images.shape[:2], 2, reach + 1, 2, reach + 1)


def swap_amplitudes(own: Tensor, style: Tensor, band: Tensor) -> Tensor:
    """Return by how much the low band changes when its amplitudes become those of another image.

    The coefficients are scaled by the ratio of the amplitudes, so no phase is ever computed.

    Args:
        own: ``low_band`` of N images.
        style: Of their style images, likewise.
        band: Largest frequency to change in cycles per image, of shape N.

    Returns:
        float32 of the shape of ``own``.
    """
    coefficients = _coefficients(own)
    ratio = _coefficients(style).abs() / coefficients.abs().clamp_(min=_NOTHING)
    frequency = torch.arange(own.shape[3], device=own.device)
    inside = torch.maximum(frequency[:, None], frequency) <= band[:, None, None, None, None]
    return _products(coefficients * ((ratio - 1) * inside))


def add_low_band(images: Tensor, change: Tensor) -> Tensor:
    """Transform a low band back and add it to images, again by two small matrix products.

    Args:
        images: Float32 N×C×H×W.
        change: float32 N×C×2×K×2×K, see ``low_band``.

    Returns:
        Float32 N×C×H×W.
    """
    height, width = images.shape[2:]
    count = change.shape[3]
    weight = torch.full((count,), 2.0, device=images.device)  # frequencies stand for their negatives too
    weight[:1] = 1
    scaled = change * (weight[:, None, None] * weight / (height * width))
    down, across = (_waves(length, count, images.device) for length in (height, width))
    back = torch.matmul(down.t(), scaled.view(*images.shape[:2], 2 * count, 2 * count))
    return torch.matmul(back, across).add_(images)


def _coefficients(products: Tensor) -> Tensor:
    """Turn products into Fourier coefficients, N×C×2×K×K: of positive and of negative frequencies of the rows."""
    (cc, cs), (sc, ss) = (part.unbind(3) for part in products.unbind(2))
    return torch.stack((torch.complex(cc - ss, -cs - sc), torch.complex(cc + ss, sc - cs)), 2)


def _products(coefficients: Tensor) -> Tensor:
    """Turn coefficients back into products."""
    positive, negative = coefficients.mul(0.5).unbind(2)
    total, difference = positive + negative, negative - positive
    rows = torch.stack((total.real, -total.imag), 3), torch.stack((difference.imag, difference.real), 3)
    return torch.stack(rows, 2)


class Fourier(StyleOp):
    """Amplitudes of low frequencies from another image, everything else from the own: colours, light and haze.

    Yang and Soatto, "FDA: Fourier Domain Adaptation for Semantic Segmentation" (CVPR 2020). The band is a square in the
    spectrum, frequencies up to floor(beta · min(H, W)) in rows and columns, both signs.

    Args:
        p: Probability that an image is changed.
        beta: Half width of the band as a share of the shorter side, below 0.5, or a range from which it is drawn for
            every image. The paper takes 0.01, 0.05 and 0.09.
        alpha: How much of the style, in [0, 1], or a range.
        region: Where the style is changed; the whole image unless given.
        styles: Style images S×C×H×W or a folder; by default the other samples of the batch.
        label_gamma: Weight of the own label where labels become soft, see ``StyleOp``.

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> Fourier(p=1.0, beta=0.05)(torch.rand(2, 3, 32, 32), seed=0).shape
        torch.Size([2, 3, 32, 32])
    """

    method = "fourier"
    resembles = ("fog", "brightness", "contrast")
    schedulable = ranges(alpha=(0.0, 1.0), beta=(0.0, 0.5))

    def __init__(self, p: float = 0.5, beta: Span = (0.0, 0.1), alpha: Span = 1.0, **shared: object) -> None:
        super().__init__(p, alpha, **shared)  # type: ignore[arg-type]
        self.beta = span("beta", beta, 0.5)

    def draw_detail(self, shape: torch.Size, seeds: Tensor) -> tuple[Tensor, ...]:
        """Draw the largest frequency of every cell's band, float32 N×K."""
        low, high = self.beta
        beta = low + (high - low) * uniform(fold(seeds, "beta"), (self.region.count,))
        return ((beta * min(shape[2:])).floor(),)

    def describe(self, images: Tensor) -> Tensor:
        """Return the low band of images."""
        return low_band(images, self._reach(images))

    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Return by how much the low band changes."""
        return swap_amplitudes(own, style, detail[0])

    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Give images the amplitudes of style images."""
        return add_low_band(images, ready)

    def _reach(self, images: Tensor) -> int:
        """The largest frequency that can be drawn; half the side itself would be its own mirror image."""
        shorter = min(images.shape[2:])
        return min(math.floor(self.beta[1] * shorter), (shorter - 1) // 2)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"{super().extra_repr()}, beta={self.beta}"


@cached_tensors(64)
def _waves(length: int, count: int, device: torch.device) -> Tensor:
    """Cosines and then sines of the frequencies 0 … count - 1, float32 of shape 2·count×length."""
    turns = torch.outer(torch.arange(count, dtype=torch.float64), torch.arange(length, dtype=torch.float64) / length)
    waves: Tensor = torch.cat((turns.mul(2 * math.pi).cos(), turns.mul(2 * math.pi).sin()))
    return waves.to(device, torch.float32)
