"""Amplitude-phase recombination against numpy's full transform."""

import numpy as np
import pytest
import torch

from robustlit.augmentations import AmplitudePhase
from robustlit.augmentations.amplitude_phase import amplitude_phase
from tests.augmentations.style_cases import pictures, seeds


@pytest.mark.parametrize("size", [(24, 33), (33, 24), (16, 16)])
def test_equals_amplitudes_and_phases(size) -> None:
    images, styles = pictures(3, size=size), pictures(3, size=size)
    result = AmplitudePhase().restyle(images, amplitude_phase(torch.fft.rfft2(images), torch.fft.rfft2(styles))).numpy()
    own, other = (np.fft.fft2(x.double().numpy()) for x in (images, styles))
    expected = np.fft.ifft2(np.abs(other) * np.exp(1j * np.angle(own))).real
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_is_clipped() -> None:
    images = torch.rand(8, 3, 32, 32)
    op = AmplitudePhase(p=1.0)
    spectrum = torch.fft.rfft2(images)
    raw = op.restyle(images, amplitude_phase(spectrum, spectrum.roll(1, 0)))
    assert raw.min() < 0 and raw.max() > 1
    result = op(images, seeds(8))
    assert result.min() == 0 and result.max() == 1


def test_a_flat_image_has_no_phase_to_keep() -> None:
    black = torch.zeros(1, 1, 8, 5, dtype=torch.complex64)
    assert torch.equal(amplitude_phase(black, torch.fft.rfft2(torch.rand(1, 1, 8, 8))), black)
