import numpy as np
import pytest
import torch

from robustlit.corruptions.bar.spectrum import frequency, mirrored_phases, random_field


@pytest.mark.parametrize("size", [(8, 8), (8, 6), (9, 8), (8, 9), (9, 9)])
def test_phases_are_their_own_half_turn(size: tuple[int, int]) -> None:
    phases = mirrored_phases(torch.tensor([3, 4]), 2, *size)
    assert phases.shape == (2, 2, *size)
    assert torch.equal(phases, phases.flip(-1, -2))
    assert phases.amin() >= 0
    assert phases.amax() < 2 * torch.pi
    distinct = phases[0, 0].unique().numel()
    assert distinct == (size[0] * size[1] + 1) // 2
    assert not torch.equal(phases[:, 0], phases[:, 1])


def test_frequency_is_the_distance_from_the_middle_in_square_images() -> None:
    found = frequency(32, 32, torch.device("cpu"))
    rows, columns = np.mgrid[:32, :32]
    np.testing.assert_allclose(found.numpy(), np.hypot(rows - 16, columns - 16), atol=1e-12)


@pytest.mark.parametrize("size", [(16, 16), (15, 15), (16, 21)])
def test_field_is_numpys(size: tuple[int, int]) -> None:
    amplitude = frequency(*size, torch.device("cpu"))
    phases = mirrored_phases(torch.tensor([7]), 1, *size).double()
    spectrum = amplitude.numpy() * np.exp(1j * phases.numpy()[0, 0])
    spectrum = np.roll(np.roll(spectrum, size[0] // 2, axis=0), size[1] // 2, axis=1)
    field = np.fft.ifft2(spectrum).real
    np.testing.assert_allclose(random_field(amplitude, phases)[0, 0].numpy(), field / field.std(), atol=1e-9)
