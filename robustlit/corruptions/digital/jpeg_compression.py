"""JPEG compression: what libjpeg keeps of an image, bit for bit, without writing a file."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.cached import cached_tensors
from robustlit.corruptions.base import Corruption, Draws, Level

__all__ = ["JpegCompression", "jpeg_compression"]

# ITU-T T.81, annex K: the example tables that libjpeg scales by the quality
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# The 8-point DCT of libjpeg's slow integer method, as one matrix in 13-bit fixed point: its steps are linear and round
# once, so the butterflies multiply out to whole numbers. Rows are frequencies; the second half of a row mirrors the
# first, with the other sign for odd frequencies.
_DCT_HALVES = (
    (8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260),
    (10703, 4433, -4433, -10703),
    (9633, -2259, -11362, -6436),
    (8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633),
    (4433, -10704, 10704, -4433),
    (2260, -6436, 9633, -11363),
)
# RGB to luma and two chromas, and chroma back to RGB, in 16-bit fixed point
_TO_YCC = ((19595.0, 38470.0, 7471.0), (-11059.0, -21709.0, 32768.0), (32768.0, -27439.0, -5329.0))
_TO_YCC_OFFSETS = (32768.0 - 128 * 65536, 32767.0, 32767.0)  # rounding, and the shift of luma by 128
_FROM_CHROMA = ((0.0, 91881.0), (-22554.0, -46802.0), (116130.0, 0.0))


def jpeg_compression(images: Tensor, quality: int) -> Tensor:
    """Write and read images as JPEG, without the file: entropy coding loses nothing and is left out.

    The arithmetic is libjpeg's: fixed-point colours, chroma at half size, slow integer DCT, the annex K tables at the
    quality, triangle up-sampling. All of it is whole numbers that float32 (float64 for the sums that outgrow it) holds
    exactly, so results are the same for any batch and device, and those of Pillow bit for bit.

    Args:
        images: float32 N×C×H×W, whole grey levels divided by 255; three channels are stored 4:2:0, one as grey.
        quality: 1 to 100.

    Returns:
        float32 N×C×H×W, whole grey levels divided by 255.
    """
    height, width = images.shape[-2:]
    levels = (images * 255).round_()
    if images.shape[1] == 1:
        shifted = _coded(_padded(levels - 128, 8, 8), _tables(quality, width, images.device)[0])
        return shifted[..., :height, :width].add(128).div_(255)
    luma, chroma = _to_planes(levels)
    luma_table, chroma_table = _tables(quality, width, images.device)
    luma = _coded(_padded(luma, 8, 8), luma_table)[..., :height, :width]
    chroma = _coded(_padded(chroma, 8, 8), chroma_table)
    return _to_colors(luma, _upsampled(chroma, height, width))


class JpegCompression(Corruption[Draws]):
    """JPEG compression at a low quality (Hendrycks and Dietterich 2019, ImageNet-C).

    A level is the quality, rounded to a whole number. An image of one channel is stored as a grey JPEG.

    Example:
        >>> images = torch.rand(1, 3, 32, 32)
        >>> JpegCompression().change(images, Draws(), (25.0,)).shape
        torch.Size([1, 3, 32, 32])
    """

    name = "jpeg_compression"
    levels: ClassVar = {
        "imagenet": ((25.0,), (18.0,), (15.0,), (10.0,), (7.0,)),
        "tiny": ((65.0,), (58.0,), (50.0,), (40.0,), (25.0,)),
        "cifar": ((80.0,), (65.0,), (58.0,), (50.0,), (40.0,)),
    }
    continuous = True

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Draws:
        """Draw nothing."""
        return Draws()

    def change(self, images: Tensor, draws: Draws, level: Level) -> Tensor:
        """Compress."""
        return jpeg_compression(images, round(level[0]))


def _to_planes(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Grey levels N×3×H×W to luma N×1×H×W and chroma N×2×⌈H/2⌉×(W rounded up to 16)/2, both shifted by 128."""
    matrix, offsets = _constant(_TO_YCC, levels.device), _constant(_TO_YCC_OFFSETS, levels.device)
    planes = (matrix @ levels.flatten(2)).add_(offsets[:, None]).mul_(2**-16).floor_().view_as(levels)
    chroma = _padded(planes[:, 1:], 2, 16)
    pairs = chroma[..., 0::2, :] + chroma[..., 1::2, :]
    sums = pairs[..., 0::2] + pairs[..., 1::2]
    sums[..., 0::2] += 1  # libjpeg rounds a sum of four up by 1 and by 2 in turn
    sums[..., 1::2] += 2
    return planes[:, :1], sums.mul_(0.25).floor_()


def _to_colors(luma: Tensor, chroma: Tensor) -> Tensor:
    """Shifted luma N×1×H×W and chroma N×2×H×W to colours N×3×H×W in [0, 1]."""
    colors = (_constant(_FROM_CHROMA, chroma.device) @ chroma.flatten(2)).view(-1, 3, *chroma.shape[2:])
    colors = colors.add_(32768).mul_(2**-16).floor_()
    return colors.add_(luma + 128).clamp_(0, 255).div_(255)


def _upsampled(chroma: Tensor, height: int, width: int) -> Tensor:
    """Double chroma by libjpeg's triangle filter, which rounds sums of sixteen up by 8 and by 7 in turn."""
    chroma = F.pad(chroma[..., : (height + 1) // 2, : (width + 1) // 2], (1, 1, 1, 1), mode="replicate")
    middle = chroma[..., 1:-1, :] * 3
    rows = torch.stack((middle + chroma[..., :-2, :], middle + chroma[..., 2:, :]), dim=-2).flatten(-3, -2)
    middle = rows[..., 1:-1] * 3
    doubled = middle.new_empty(*middle.shape[:-1], 2 * middle.shape[-1])
    doubled[..., 0::2] = middle.add(rows[..., :-2]).add_(8)
    doubled[..., 1::2] = middle.add_(rows[..., 2:]).add_(7)
    return doubled.mul_(1 / 16).floor_()[..., :height, :width]


def _coded(planes: Tensor, table: Tensor) -> Tensor:
    """Transform, quantise and transform back 8×8 blocks; planes are whole numbers from -128 to 127."""
    dct = _dct(planes.device)
    shape = planes.shape
    rows = planes.reshape(-1, 8) @ dct.T.float()  # below 2²⁴: float32 is exact
    rows = _shifted(rows, 11).view(-1, 8, shape[-1])
    scaled = _shifted(dct @ rows.double(), 15).float()  # coefficients times 8
    steps = table[..., : shape[-1]]
    # halves are rounded away from zero: nudged by less than any other value is away from a half
    whole = scaled.mul_((1 + 2**-20) / 8 / steps).round_().mul_(steps)
    columns = _shifted(dct.T @ whole.double(), 11).view(-1, 8)
    return _shifted(columns @ dct, 18).float().clamp_(-128, 127).view(shape)


def _shifted(sums: Tensor, bits: int) -> Tensor:
    """Whole numbers divided by 2^bits, halves up, in place."""
    return sums.mul_(2.0**-bits).add_(0.5).floor_()


def _padded(planes: Tensor, rows: int, columns: int) -> Tensor:
    """Repeat the last row and column until height and width are multiples."""
    below, right = -planes.shape[-2] % rows, -planes.shape[-1] % columns
    return F.pad(planes, (0, right, 0, below), mode="replicate") if below or right else planes


@cached_tensors(16)
def _constant(values: tuple[float, ...] | tuple[tuple[float, ...], ...], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)


@cached_tensors(8)
def _dct(device: torch.device) -> Tensor:
    signs = [1 if frequency % 2 == 0 else -1 for frequency in range(8)]
    rows = [[*half, *(sign * x for x in reversed(half))] for sign, half in zip(signs, _DCT_HALVES, strict=True)]
    return torch.tensor(rows, dtype=torch.float64, device=device)


@cached_tensors(32)
def _tables(quality: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Steps of luma and chroma, float32 8×W' with W' no smaller than the padded width."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    blocks = (width + 15) // 8
    tables = (torch.tensor(table) for table in (_LUMINANCE, _CHROMINANCE))
    steps = [((table * percent + 50) // 100).clamp(1, 255).float().to(device) for table in tables]
    return steps[0].repeat(1, blocks), steps[1].repeat(1, blocks)
