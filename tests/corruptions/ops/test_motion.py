import math

import numpy as np
import pytest
import torch

from robustlit.corruptions.ops import motion
from robustlit.corruptions.ops.motion import motion_blur


def by_hand(image: np.ndarray, radius: int, sigma: float, angle: float) -> np.ndarray:
    """One uint8 H×W plane, pixel by pixel as ImageMagick: 16 bits a value, rounded, then cut down to 8."""
    weights = [math.exp(-(i**2) / (2 * sigma**2)) for i in range(2 * radius + 1)]
    total = np.zeros(image.shape)
    rows, columns = np.indices(image.shape)
    for i, weight in enumerate(weights):
        y = rows + math.ceil(i * math.sin(math.radians(angle)) - 0.5)
        x = columns + math.ceil(i * math.cos(math.radians(angle)) - 0.5)
        total += weight / sum(weights) * image[y.clip(0, image.shape[0] - 1), x.clip(0, image.shape[1] - 1)]
    return np.floor(np.floor(total * 257 + 0.5) / 257)


@pytest.fixture
def images() -> torch.Tensor:
    noise = torch.rand(4, 3, 21, 34, generator=torch.Generator().manual_seed(0))
    return (noise * 255).floor() / 255


@pytest.mark.parametrize(("radius", "sigma"), [(6, 1.0), (10, 4.0), (20, 15.0)])
def test_equals_the_sum_by_hand(images, radius, sigma):
    angles = torch.tensor([-135.0, -30.0, 0.0, 44.0])
    found = motion_blur(images, radius, sigma, angles) * 255
    for image, ours, angle in zip(images, found, angles.tolist(), strict=True):
        for plane, own in zip(image, ours, strict=True):
            wanted = by_hand((plane * 255).round().numpy(), radius, sigma, angle)
            delta = np.abs(own.round().numpy() - wanted)
            assert delta.max() <= 1
            assert delta.mean() < 0.003


def test_gathers_of_a_batch_equal_views_of_each_image(images, monkeypatch):
    angles = torch.tensor([-135.0, -30.0, 0.0, 44.0])
    on_cpu = motion_blur(images, 10, 4.0, angles)
    monkeypatch.setattr(motion, "_follow_views", motion._follow_gathers)  # what other devices use
    assert torch.equal(motion_blur(images, 10, 4.0, angles), on_cpu)


def test_a_uniform_image_stays():
    levels = (torch.arange(256.0) / 255).view(256, 1, 1, 1).expand(-1, -1, 16, 16)
    found = motion_blur(levels, 8, 2.0, torch.linspace(-180, 180, 256))
    assert torch.equal((found * 255).round(), (levels * 255).round())
