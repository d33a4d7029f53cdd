"""The digital corruptions with the numpy draws of the published generator."""

import pytest

from robustlit.corruptions.registry import named
from tests.corruptions import golden
from tests.corruptions.replays.digital import REPLAYS

LARGEST_MEAN = {"saturate": 0.1, "elastic_transform": 0.002}  # the others are equal bit for bit


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("name", sorted(set(REPLAYS) - {"brightness"}))
def test_equals_the_published_output(name, preset, severity):
    arrays, corruption = golden.arrays(preset), named(name)
    level = corruption.level(preset, severity)
    draws = REPLAYS[name](golden.stream(severity), arrays["input"], level)
    found = corruption.apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(found, arrays[f"{name}_{severity}"])
    assert largest <= (1 if name in LARGEST_MEAN else 0)
    assert abs(mean) <= LARGEST_MEAN.get(name, 0)
