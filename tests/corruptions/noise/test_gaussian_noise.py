import math

import pytest
import torch

from robustlit.corruptions.noise.gaussian_noise import GaussianNoise, gaussian_noise


def test_sigma_is_in_units_of_the_pixel_range():
    images, noise = torch.full((2, 3, 16, 16), 0.5), torch.full((2, 3, 16, 16), -2.0)
    assert torch.allclose(gaussian_noise(images, noise, 0.1), torch.full_like(images, 0.3))


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_own_draws_are_normal_and_independent(severity):
    corruption = GaussianNoise()
    level = corruption.level("imagenet", severity)
    images = torch.full((4, 3, 128, 128), 0.5)
    change = corruption.change(images, corruption.sample(images.shape, torch.arange(4), level), level) - images
    count = change.numel()
    assert abs(float(change.mean())) < 4 * level[0] / math.sqrt(count)
    assert float(change.std()) == pytest.approx(level[0], rel=4 / math.sqrt(2 * count))
    standard = change / level[0]
    for first, second in ((standard[:2], standard[2:]), (standard[:, :2], standard[:, 1:])):
        assert abs(float((first * second).mean())) < 4 / math.sqrt(first.numel())
    assert abs(float((standard[..., 1:] * standard[..., :-1]).mean())) < 4 / math.sqrt(count)
