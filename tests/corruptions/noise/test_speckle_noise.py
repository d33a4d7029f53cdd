import pytest
import torch

from robustlit.corruptions.noise.speckle_noise import SpeckleNoise, speckle_noise


def test_noise_is_in_proportion_to_the_pixel():
    images = torch.tensor([0.0, 0.2, 0.8]).view(1, 1, 1, 3)
    assert speckle_noise(images, torch.ones_like(images), 0.25).flatten().tolist() == pytest.approx([0, 0.25, 1])


@pytest.mark.parametrize("value", [0.1, 0.6])
def test_own_draws_have_the_spread_of_the_level(value):
    corruption, images = SpeckleNoise(), torch.full((2, 3, 128, 128), value)
    change = corruption.change(images, corruption.sample(images.shape, torch.arange(2), (0.35,)), (0.35,)) - images
    assert float(change.std()) == pytest.approx(0.35 * value, rel=0.02)
