"""defocus_blur: the image of a lens that is out of focus."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.ops.fourier import fast_length

__all__ = ["DefocusBlur", "defocus_blur", "disk"]

_SMALLEST_GRID = 8  # the published kernel is at least 17×17, however small the disk


class DefocusBlur(Corruption[Draws]):
    """Convolution with an anti-aliased disk, mirrored at the edge; nothing is random.

    Source: Hendrycks and Dietterich, ICLR 2019; a level is (radius of the disk, sigma of its own blur), both in
    pixels. Neither grows with the image.

    Example:
        >>> image = torch.full((1, 3, 32, 32), 0.5)
        >>> bool(torch.allclose(DefocusBlur().change(image, Draws(), (3.0, 0.1)), image))
        True
    """

    name = "defocus_blur"
    levels: ClassVar = {
        "imagenet": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        "tiny": ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
        "cifar": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    }

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Blur every channel by itself."""
        return defocus_blur(images, level[0], level[1])


def defocus_blur(images: Tensor, radius: float, sigma: float) -> Tensor:
    """Convolve with a disk, by FFT; beyond the edge the image is mirrored without repeating the last pixel.

    Args:
        images: Float32 N×C×H×W, H and W > the reach of the kernel (at most ⌊radius⌋ + 2).
        radius: Of the disk in pixels.
        sigma: Of the Gaussian that smooths the disk's edge, in pixels.

    Returns:
        Float32 N×C×H×W.
    """
    height, width = images.shape[-2:]
    reach, transfer = _transfer(radius, sigma, height, width, images.device)
    rows, columns = _grid(height, reach), _grid(width, reach)
    padded = F.pad(images, (reach, reach, reach, reach), mode="reflect")
    # on CPU image by image, because the rounding of a transform may depend on how many are made at once
    step = 1 if images.device.type == "cpu" else len(padded)
    parts = [padded[start : start + step] for start in range(0, len(padded), step)]
    blurred = torch.cat([_filtered(part, transfer, (rows, columns)) for part in parts])
    return blurred[..., reach : reach + height, reach : reach + width]


def _filtered(images: Tensor, transfer: Tensor, size: tuple[int, int]) -> Tensor:
    spectrum = torch.fft.rfft2(images, s=size)
    torch.view_as_real(spectrum).mul_(transfer)
    filtered: Tensor = torch.fft.irfft2(spectrum, s=size)
    return filtered


def disk(radius: float, sigma: float) -> Tensor:
    """Return the published kernel without its border of zeros: float64, square, of odd size.

    The disk sums to 1 before a 3×3 Gaussian (5×5 for a radius over 8) smooths it; its grid ends at the disk and the
    Gaussian mirrors there, so the sum afterwards is not quite 1 for a radius of 8 and more.
    """
    half, side = (_SMALLEST_GRID, 1) if radius <= _SMALLEST_GRID else (int(radius), 2)
    line = torch.arange(-half, half + 1, dtype=torch.float64)
    full = (line[:, None] ** 2 + line**2 <= radius**2).double()
    full /= full.sum()
    taps = torch.exp(-(torch.arange(-side, side + 1, dtype=torch.float64) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    padded = F.pad(full[None, None], (side,) * 4, mode="reflect")
    kernel = F.conv2d(padded, torch.outer(taps, taps)[None, None])[0, 0]
    reach = min(half, int(radius) + side)
    return kernel[half - reach : half + reach + 1, half - reach : half + reach + 1]


@cached_tensors(32)
def _transfer(radius: float, sigma: float, height: int, width: int, device: torch.device) -> tuple[int, Tensor]:
    """The reach of the kernel, and its transform, which is real because the kernel is symmetric.

    It is held twice, for the real and the imaginary part of a spectrum: that is quicker than to broadcast.
    """
    kernel = disk(radius, sigma)
    reach = kernel.shape[0] // 2
    grid = torch.zeros(_grid(height, reach), _grid(width, reach), dtype=torch.float64)
    grid[: 2 * reach + 1, : 2 * reach + 1] = kernel
    transform = torch.fft.rfft2(grid.roll((-reach, -reach), (0, 1)))
    return reach, torch.stack((transform.real, transform.real), -1).to(device, torch.float32)


def _grid(length: int, reach: int) -> int:
    """Pixels of the transform along an axis; what wraps around stays within the border."""
    return fast_length(length + 2 * reach)
