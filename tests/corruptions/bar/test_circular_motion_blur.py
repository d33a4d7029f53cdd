import numpy as np
import pytest
import torch

from robustlit.corruptions.bar import circular_motion_blur as module
from robustlit.corruptions.bar.circular_motion_blur import CircularMotionBlur, circular_motion_blur
from tests.corruptions import golden
from tests.corruptions.replays.bar_geometry import REPLAYS


@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(severity):
    arrays = golden.arrays("cifar", "bar")
    level = CircularMotionBlur().level("cifar", severity)
    draws = REPLAYS["circular_motion_blur"](golden.stream(severity), arrays["input"], level)
    ours = CircularMotionBlur().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"circular_motion_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


def test_is_scipy_s_rotations_on_images_that_are_not_square():
    ndimage = pytest.importorskip("scipy.ndimage")
    image = torch.rand(24, 37, generator=torch.Generator().manual_seed(0)).double().numpy()
    shares = np.linspace(-1, 1, 21)
    weights = np.exp(-2 * shares**2)
    turned = [w * ndimage.rotate(image, 7 * u, reshape=False) for u, w in zip(shares, weights, strict=True)]
    found = circular_motion_blur(torch.from_numpy(image).float()[None, None], 7.0)[0, 0].numpy()
    assert abs(found - sum(turned) / weights.sum()).max() < 1e-5


def test_large_images_go_in_strips_of_which_nothing_is_kept(monkeypatch):
    images = torch.rand(2, 3, 37, 53, generator=torch.Generator().manual_seed(0))
    whole = circular_motion_blur(images, 6.6)
    monkeypatch.setattr(module, "_SMALL", 10 * 53)
    monkeypatch.setattr(module, "_kept_rotated", None)
    assert torch.equal(circular_motion_blur(images, 6.6), whole)
