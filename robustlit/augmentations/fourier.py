"""Style by Fourier amplitudes: the low band of another image, with the own phase."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from robustlit.augmentations.style import Span, StyleOp, span
from robustlit.core.random import fold, uniform

__all__ = ["Fourier", "fourier", "low_band"]

_NOTHING = 1e-12  # lost in the rounding of any other coefficient; a coefficient of 0 gets the phase 0


def low_band(images: Tensor, reach: int) -> Tensor:
    """Return the low frequencies of the unnormalised Fourier transform, by two small matrix products.

    Args:
        images: Float32 N×C×H×W.
        reach: Largest frequency in cycles per image, below half of either side.

    Returns:
        complex64 N×C×(2·reach+1)×(reach+1): frequencies -reach … reach of the rows, 0 … reach of the columns. The
        others follow by symmetry.
    """
    down, across, _ = _waves(images.shape[2], images.shape[3], reach, images.device)
    halves = torch.matmul(images, across)
    return torch.matmul(down, torch.view_as_complex(halves.view(*halves.shape[:3], reach + 1, 2)))


def fourier(images: Tensor, amplitude: Tensor, band: Tensor) -> Tensor:
    """Give the low band of images other amplitudes.

    Only what changes is transformed back, and the coefficients are scaled by the ratio of the amplitudes, so neither
    phases nor the rest of the spectrum are ever computed.

    Args:
        images: Float32 N×C×H×W.
        amplitude: Of the style, float32 N×C×(2·reach+1)×(reach+1), see ``low_band``.
        band: Largest frequency to change in cycles per image, of shape N, up to ``reach``.

    Returns:
        Float32 N×C×H×W, not clipped.
    """
    height, width = images.shape[2:]
    reach = amplitude.shape[3] - 1
    down, _, back = _waves(height, width, reach, images.device)
    own = low_band(images, reach) + _NOTHING
    change = own * (amplitude / own.abs() - 1)
    frequency = torch.arange(reach + 1, device=images.device)
    highest = torch.maximum(torch.arange(-reach, reach + 1, device=images.device).abs()[:, None], frequency)
    change = change * (highest <= band[:, None, None, None])
    rows = torch.view_as_real(torch.matmul(down.mH, change)).flatten(-2)
    return torch.matmul(rows, back).add_(images)


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

    def __init__(self, p: float = 0.5, beta: Span = (0.0, 0.1), alpha: Span = 1.0, **shared: object) -> None:
        super().__init__(p, alpha, **shared)  # type: ignore[arg-type]
        self.beta = span("beta", beta, 0.5)

    def draw_detail(self, shape: torch.Size, seeds: Tensor) -> tuple[Tensor, ...]:
        """Draw the largest frequency of every cell's band, float32 N×K."""
        low, high = self.beta
        beta = low + (high - low) * uniform(fold(seeds, "beta"), (self.region.count,))
        return ((beta * min(shape[2:])).floor(),)

    def describe(self, styles: Tensor) -> Tensor:
        """Return the amplitudes of style images' low band."""
        return low_band(styles, self._reach(styles)).abs()

    def restyle(self, images: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Give images the amplitudes of style images."""
        return fourier(images, style, detail[0])

    def _reach(self, images: Tensor) -> int:
        """The largest frequency that can be drawn; half the side itself would be its own mirror image."""
        shorter = min(images.shape[2:])
        return min(math.floor(self.beta[1] * shorter), (shorter - 1) // 2)

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"{super().extra_repr()}, beta={self.beta}"


@lru_cache(maxsize=32)
def _waves(height: int, width: int, reach: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Waves down (complex), across (cosine and sine side by side), and across for the way back, with its weights."""
    frequency = torch.arange(-reach, reach + 1, dtype=torch.float64)
    turns = torch.outer(frequency, torch.arange(height, dtype=torch.float64)) / height
    down = torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
    turns = torch.outer(torch.arange(width, dtype=torch.float64), frequency[reach:]) / width
    across = torch.view_as_real(torch.polar(torch.ones_like(turns), -2 * math.pi * turns)).flatten(1)
    weight = torch.full((reach + 1, 1), 2.0, dtype=torch.float64)  # negative frequencies of the columns count too
    weight[0] = 1
    back = (across.t() * weight.repeat_interleave(2, 0)) / (height * width)
    return down.to(device, torch.complex64), across.to(device, torch.float32), back.to(device, torch.float32)
