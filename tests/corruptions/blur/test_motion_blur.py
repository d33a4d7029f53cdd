import pytest
import torch

from robustlit.core.random import sample_seeds
from robustlit.corruptions.blur.motion_blur import MotionBlur
from tests.corruptions import golden
from tests.corruptions.replays.blur import REPLAYS


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays, level = golden.arrays(preset), MotionBlur().level(preset, severity)
    draws = REPLAYS["motion_blur"](golden.stream(severity), arrays["input"], level)
    ours = MotionBlur().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"motion_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.001


def test_directions_lie_within_45_degrees_and_fill_the_range():
    angles = MotionBlur().sample(torch.Size((2000, 3, 32, 32)), sample_seeds(0, torch.arange(2000)), (6, 1)).angles
    assert angles.shape == (2000,)
    assert -45 <= float(angles.min()) < -44
    assert 44 < float(angles.max()) < 45
    assert abs(float(angles.mean())) < 4 * 26 / 2000**0.5
