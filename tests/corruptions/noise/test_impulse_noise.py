import math

import pytest
import torch

from robustlit.corruptions.noise.impulse_noise import ImpulseNoise


@pytest.mark.parametrize("amount", [0.01, 0.27])
def test_own_draws_are_half_salt_and_half_pepper_for_every_channel(amount):
    corruption, images = ImpulseNoise(), torch.full((2, 3, 128, 128), 0.5)
    found = corruption.change(images, corruption.sample(images.shape, torch.arange(2), (amount,)), (amount,))
    tolerance = 4 * math.sqrt(amount / 2 / found.numel())
    for value in (0.0, 1.0):
        assert float((found == value).float().mean()) == pytest.approx(amount / 2, abs=tolerance)
    assert bool(((found == 0) | (found == 0.5) | (found == 1)).all())
    hit = (found != 0.5).float()
    both = float((hit[:, 0] * hit[:, 1]).mean())
    assert both == pytest.approx(amount**2, abs=5 * amount / math.sqrt(hit[:, 0].numel()))
