"""The four noises with the numpy draws of the published generator."""

import pytest

from robustlit.corruptions.registry import named
from tests.corruptions import golden
from tests.corruptions.replays.noise import REPLAYS


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("name", REPLAYS)
def test_equals_the_published_output(name, preset, severity):
    arrays, corruption = golden.arrays(preset), named(name)
    level = corruption.level(preset, severity)
    draws = REPLAYS[name](golden.stream(severity), arrays["input"], level)
    found = corruption.apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(found, arrays[f"{name}_{severity}"])
    assert largest <= (0 if name in ("impulse_noise", "shot_noise") else 1)
    assert abs(mean) <= 0.002
