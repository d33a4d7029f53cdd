import pytest
import torch

from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.corruptions.weather.fog import Fog, fog
from tests.corruptions import golden
from tests.corruptions.replays.weather import REPLAYS


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays, level = golden.arrays(preset), Fog().level(preset, severity)
    draws = REPLAYS["fog"](golden.stream(severity), arrays["input"], level)
    ours = Fog().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"fog_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.005


def test_a_full_veil_keeps_the_brightest_value_and_no_veil_darkens():
    images = torch.tensor([0.2, 0.8]).view(1, 1, 1, 2).expand(1, 3, 4, 2)
    assert torch.allclose(fog(images, torch.zeros(1, 4, 2), 1.5), images * 0.8 / 2.3)
    full = fog(images, torch.ones(1, 4, 2), 1.5)
    assert torch.allclose(full[..., 1], torch.tensor(0.8))


def test_fog_has_as_much_detail_in_a_wide_image():
    grey = torch.full((2, 1, 32, 200), 0.5)
    veil = corrupt(grey, "fog", 5, preset="cifar", quantize=False)
    assert veil.shape == grey.shape
    halves = veil[..., :100], veil[..., 100:]
    assert all(float(half.std()) > 0.02 for half in halves)


def test_own_draws_are_as_strong_as_numpys():
    image = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).contiguous()
    level = Fog().level("cifar", 5)
    array = (image[0].permute(1, 2, 0) * 255).byte().numpy()
    stream = golden.stream(5)
    theirs = torch.cat([Fog().apply(image, REPLAYS["fog"](stream, array, level), level) for _ in range(150)])
    draws = Fog().sample(torch.Size((150, 3, 32, 32)), sample_seeds(0, torch.arange(150)), level)
    ours = Fog().apply(image.expand(150, -1, -1, -1), draws, level)
    means = [(changed - image).abs().mean((1, 2, 3)) for changed in (ours, theirs)]
    error = sum(float(mean.var()) / 150 for mean in means) ** 0.5
    assert abs(float(means[0].mean() - means[1].mean())) < 4 * error
    assert 0.8 < float(means[0].std() / means[1].std()) < 1.25
