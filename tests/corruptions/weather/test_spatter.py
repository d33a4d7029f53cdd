import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustlit.core.random import normal, sample_seeds
from robustlit.corruptions.ops.gaussian import gaussian_blur
from robustlit.corruptions.weather.spatter import Spatter, mud, mud_cover, water, water_relief
from tests.corruptions import golden
from tests.corruptions.replays.weather import REPLAYS


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays, level = golden.arrays(preset), Spatter().level(preset, severity)
    draws = REPLAYS["spatter"](golden.stream(severity), arrays["input"], level)
    ours = Spatter().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"spatter_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.005


def opencv_relief(levels):
    """The relief of water by OpenCV, from uint8 H×W."""
    cv2 = pytest.importorskip("cv2")
    distance = cv2.distanceTransform(255 - cv2.Canny(levels, 50, 150), cv2.DIST_L2, 5)
    depth = cv2.equalizeHist(cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8))
    shaded = cv2.filter2D(depth, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    bright = levels * cv2.blur(shaded, (3, 3)).astype(np.float32)
    return bright / max(float(bright.max()), 1.0)


@pytest.mark.parametrize(
    ("preset", "severity", "size"), [("imagenet", 1, (96, 150)), ("imagenet", 3, (96, 150)), ("cifar", 3, (32, 32))]
)
def test_water_glistens_as_by_opencv(preset, severity, size):
    mean, deviation, sigma, threshold, *_ = Spatter().level(preset, severity)
    noise = normal(sample_seeds(1, torch.arange(12)), size) * deviation + mean
    liquid = F.threshold(gaussian_blur(noise[:, None], sigma)[:, 0], threshold, 0)
    levels = (liquid * 255).long().remainder(256).to(torch.uint8).numpy()
    expected = torch.from_numpy(np.stack([opencv_relief(plane) for plane in levels]))
    found = water_relief(liquid)
    assert float(expected.max()) > 0.99
    # OpenCV versions differ in the last digits of a distance, which now and then is the next whole one
    assert float((found - expected).abs().mean()) < 1e-3
    assert float(((found - expected).abs() < 1e-5).float().mean()) > 0.95


def test_dry_and_flooded_images_have_a_relief_without_nan():
    relief = water_relief(torch.stack((torch.zeros(20, 24), torch.full((20, 24), 0.8))))
    assert relief[0].abs().max() == 0
    assert bool(relief.isfinite().all())


def test_water_is_pale_turquoise_and_mud_is_brown():
    images = torch.full((1, 3, 2, 2), 0.25)
    relief = torch.tensor([[[0.0, 1.0], [0.5, 0.0]]])
    added = water(images, relief, 0.6) - images
    assert torch.allclose(added[0, :, 0, 1] * 255, 0.6 * torch.tensor([175.0, 238.0, 238.0]), atol=1e-4)
    assert torch.equal(added[0, :, 0, 0], torch.zeros(3))
    covered = mud(images, torch.tensor([[[0.0, 1.0], [0.9, 0.0]]]))
    assert torch.allclose(covered[0, :, 0, 1] * 255, torch.tensor([63.0, 42.0, 20.0]), atol=1e-4)
    assert torch.equal(covered[0, :, 1, 1], images[0, :, 1, 1])


def test_mud_that_covers_less_than_four_fifths_is_left_out():
    drops = torch.zeros(1, 32, 32, dtype=torch.bool)
    drops[0, 4:24, 4:24] = True
    cover = mud_cover(drops, 1.5)
    assert float(cover[0, 14, 14]) == pytest.approx(1, abs=1e-3)
    assert float(cover[cover > 0].min()) >= 0.8
    assert 0 < int((cover > 0).sum()) < 400
