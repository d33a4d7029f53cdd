import math

import torch

from robustlit.corruptions.bar.single_frequency_greyscale import single_frequency_greyscale
from robustlit.corruptions.registry import named


def test_wave_at_every_pixel() -> None:
    across, down, phase = 2.9, -0.4, 1.3
    wave = single_frequency_greyscale(
        torch.zeros(1, 2, 18, 23), torch.tensor([[across, down]]), torch.tensor([phase]), 0.25
    )
    for row in range(18):
        for column in range(23):
            expected = 0.25 * math.sin(column * across + row * down + phase)
            assert math.isclose(wave[0, 0, row, column], expected, abs_tol=1e-5)
    assert torch.equal(wave[:, 0], wave[:, 1])


def test_either_axis_may_have_the_higher_frequency() -> None:
    found = named("single_frequency_greyscale")
    frequency = found.sample(torch.Size((400, 3, 32, 32)), torch.arange(400), found.level("imagenet", 1)).frequency
    assert frequency.abs().amax() <= math.pi
    assert 0.4 < (frequency[:, 0].abs() > frequency[:, 1].abs()).float().mean() < 0.6
