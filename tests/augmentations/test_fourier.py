"""Fourier style against numpy's full transform with amplitudes and phases."""

import math

import numpy as np
import pytest
import torch

from robustlit.augmentations import Fourier
from robustlit.augmentations.fourier import add_low_band, low_band, swap_amplitudes
from tests.augmentations.style_cases import pictures, seeds


def by_the_paper(image: np.ndarray, style: np.ndarray, band: int) -> np.ndarray:
    """One channel: swap the amplitudes of a centred square of 2·band + 1 frequencies, keep the phase."""
    own, other = (np.fft.fftshift(np.fft.fft2(x.astype(np.float64))) for x in (image, style))
    amplitude, middle = np.abs(own), [length // 2 for length in image.shape]
    square = tuple(slice(m - band, m + band + 1) for m in middle)
    amplitude[square] = np.abs(other)[square]
    return np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * np.angle(own)))).real


@pytest.mark.parametrize("size", [(24, 33), (33, 24), (16, 16), (31, 31)])
@pytest.mark.parametrize("band", [0, 1, 3, 7])
def test_equals_the_full_transform(size, band) -> None:
    images, styles = pictures(3, size=size), pictures(3, size=size)
    change = swap_amplitudes(low_band(images, 7), low_band(styles, 7), torch.full((3,), float(band)))
    result = add_low_band(images, change).numpy()
    for i in range(3):
        for c in range(3):
            expected = by_the_paper(images[i, c].numpy(), styles[i, c].numpy(), band)
            np.testing.assert_allclose(result[i, c], expected, atol=2e-5)


def test_low_band_is_that_of_fft2() -> None:
    images = pictures(2)
    spectrum = np.fft.fft2(images.double().numpy())
    products = low_band(images, 4).numpy()
    for p in range(5):
        for q in range(5):
            (cc, cs), (sc, ss) = (
                products[:, :, 0, p, :, q].transpose(2, 0, 1),
                products[:, :, 1, p, :, q].transpose(2, 0, 1),
            )
            np.testing.assert_allclose(cc - ss - 1j * (cs + sc), spectrum[:, :, p, q], atol=1e-3)
            np.testing.assert_allclose(cc + ss - 1j * (cs - sc), spectrum[:, :, -p, q], atol=1e-3)


def test_every_sample_has_its_own_band() -> None:
    op = Fourier(p=1.0, beta=(0.0, 0.2))
    params = op.sample(torch.Size((2000, 3, 40, 60)), seeds(2000))
    bands = torch.bincount(params.detail[0][:, 0].long(), minlength=8)
    assert (bands[:8] - 250).abs().max() < 5 * math.sqrt(250) and len(bands) == 8


def test_the_largest_band_spares_the_mirrored_frequency() -> None:
    images = pictures(4, size=(16, 20))
    op = Fourier(p=1.0, beta=0.5)
    params = op.sample(images.shape, seeds(4))
    result = op.apply(images, params)
    for i in range(4):
        other = images[int(params.style[i, 0])]
        expected = [by_the_paper(images[i, c].numpy(), other[c].numpy(), 7) for c in range(3)]
        np.testing.assert_allclose(result[i].numpy(), np.clip(expected, 0, 1), atol=2e-5)


def test_a_flat_image_has_no_phase_to_keep() -> None:
    black = torch.zeros(1, 3, 24, 33)
    change = swap_amplitudes(low_band(black, 2), low_band(pictures(1), 2), torch.tensor([2.0]))
    assert torch.equal(add_low_band(black, change), black)
