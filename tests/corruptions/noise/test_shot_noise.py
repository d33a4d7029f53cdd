import pytest
import torch

from robustlit.corruptions.noise.shot_noise import ShotNoise, ShotNoiseDraws


@pytest.mark.parametrize("photons", [3.0, 60.0])
@pytest.mark.parametrize("grey", [10, 200])
def test_own_draws_have_the_mean_and_variance_of_counts(photons, grey):
    corruption, images = ShotNoise(), torch.full((2, 3, 128, 128), grey / 255)
    noisy = corruption.change(images, corruption.sample(images.shape, torch.arange(2), (photons,)), (photons,))
    mean = grey / 255
    assert float(noisy.mean()) == pytest.approx(mean, rel=5 / (mean * photons * noisy.numel()) ** 0.5)
    assert float(noisy.var()) == pytest.approx(mean / photons, rel=0.05)


def test_counts_that_are_known_are_taken():
    counts = torch.tensor([0.0, 3.0, 30.0]).view(1, 1, 1, 3)
    found = ShotNoise().change(torch.zeros(1, 1, 1, 3), ShotNoiseDraws(torch.zeros(1, 1, 1, 3), counts), (12.0,))
    assert found.flatten().tolist() == [0, 0.25, 2.5]


def test_black_stays_black():
    images = torch.zeros(1, 3, 64, 64)
    corruption = ShotNoise()
    assert not corruption.change(images, corruption.sample(images.shape, torch.tensor([1]), (60.0,)), (60.0,)).any()
