import pytest
import torch

from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.corruptions.weather.snow import Snow, snow, snow_layer
from tests.corruptions import golden
from tests.corruptions.replays.weather import REPLAYS


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays, level = golden.arrays(preset), Snow().level(preset, severity)
    draws = REPLAYS["snow"](golden.stream(severity), arrays["input"], level)
    ours = Snow().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"snow_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.005


def test_without_flakes_only_the_whitening_is_left():
    images = torch.tensor([0.1, 0.6, 0.3]).view(1, 3, 1, 1).expand(1, 3, 4, 5)
    luma = 0.299 * 0.1 + 0.587 * 0.6 + 0.114 * 0.3
    expected = 0.7 * images + 0.3 * (1.5 * luma + 0.5)
    assert torch.allclose(snow(images, torch.zeros(1, 4, 5), 0.7), expected)


def test_every_flake_falls_twice_turned_by_half_a_circle():
    layer = torch.zeros(1, 4, 5)
    layer[0, 0, 1] = 0.4
    fallen = snow(torch.zeros(1, 1, 4, 5), layer, 1.0)[0, 0]
    assert fallen.nonzero().tolist() == [[0, 1], [3, 3]]
    assert fallen[3, 3] == layer[0, 0, 1]


def test_flakes_below_the_threshold_vanish_and_the_rest_is_blurred_along_its_angle():
    flakes = torch.full((2, 16, 16), 0.4)
    flakes[:, 8, 8] = 0.9
    layer = snow_layer(flakes, 0.5, 3, 2.0, torch.tensor([-90.0, 0.0]))
    assert layer[0].nonzero()[:, 1].unique().tolist() == [8]
    assert layer[1].nonzero()[:, 0].unique().tolist() == [8]
    assert len(layer[0].nonzero()) > 3


def test_angles_lie_between_135_and_45_degrees():
    angles = Snow().sample(torch.Size((2000, 3, 16, 16)), sample_seeds(0, torch.arange(2000)), (0, 1, 4.0)).angles
    assert -135 <= float(angles.min()) < -134
    assert -46 < float(angles.max()) <= -45


def test_one_channel_gives_what_grey_gives():
    grey = torch.rand(2, 1, 40, 33)
    one = corrupt(grey, "snow", 3, quantize=False)
    three = corrupt(grey.expand(-1, 3, -1, -1), "snow", 3, quantize=False)
    assert torch.allclose(one.expand_as(three), three, atol=1e-6)
