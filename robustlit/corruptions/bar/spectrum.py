"""Random fields with a given spectrum: the noises that C-bar names by a colour."""

import math

import torch
from torch import Tensor

from robustlit.core.cached import cached_tensors
from robustlit.core.random import fold, uniform

__all__ = ["frequency", "mirrored_phases", "random_field"]


def mirrored_phases(seeds: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Draw phases for the left half of a spectrum; the right half is the left one turned by 180 degrees.

    The published fields are made so. It is not the symmetry of a real field's spectrum: signs stay as they are.

    Args:
        seeds: int64 of shape N.
        channels: Independent spectra a sample.
        height: Of the spectrum.
        width: Likewise; the middle column of an odd one is turned onto itself.

    Returns:
        float32 N×channels×height×width in [0, 2π).
    """
    left = uniform(fold(seeds, "phases"), (channels, height, width // 2))
    parts = [left, left.flip(-1, -2)]
    if width % 2:
        upper = uniform(fold(seeds, "middle"), (channels, height // 2, 1))
        centre = upper.new_zeros(*upper.shape[:2], height % 2, 1)
        parts.insert(1, torch.cat((upper, centre, upper.flip(-2)), dim=-2))
    return torch.cat(parts, dim=-1) * (2 * math.pi)


@cached_tensors(16)
def frequency(height: int, width: int, device: torch.device) -> Tensor:
    """Return the distance from zero frequency, float64 height×width, zero frequency in the middle.

    The unit is one period in the shorter side, so that a field looks alike along both axes of any image.
    """
    rows = torch.arange(height, dtype=torch.float64, device=device) / height - 0.5
    columns = torch.arange(width, dtype=torch.float64, device=device) / width - 0.5
    return min(height, width) * (rows[:, None] ** 2 + columns**2).sqrt()


def random_field(amplitude: Tensor, phases: Tensor) -> Tensor:
    """Return the real part of the inverse Fourier transform, divided by its standard deviation.

    Args:
        amplitude: H×W, zero frequency in the middle.
        phases: …×H×W in radians, of the same dtype, which is also that of the result.
    """
    spectrum = torch.fft.fftshift(torch.polar(amplitude.expand_as(phases).contiguous(), phases), dim=(-2, -1))
    field: Tensor = torch.fft.ifft2(spectrum).real
    return field / field.std(dim=(-2, -1), correction=0, keepdim=True)
