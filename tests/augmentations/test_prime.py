"""PRIME's primitives against plain formulas in numpy, and its chains for any batch."""

import math

import numpy as np
import pytest
import torch

from robustlit.augmentations import PRIME
from robustlit.augmentations.noise_field import normal_field
from robustlit.augmentations.primitives import color_curves, displacements, filter_each, remap, temperatures
from tests.augmentations.style_cases import pictures, seeds


def test_color_curves_are_sums_of_sines() -> None:
    images, weights = (pictures(2) * 255).round() / 255, torch.randn(2, 3, 12) * 0.05
    expected = images.double()
    for k in range(1, 13):
        expected = expected + weights[:, :, k - 1, None, None] * (math.pi * k * images.double()).sin()
    assert torch.allclose(color_curves(images, weights).double(), expected.clamp(0, 1), atol=1e-5)


def test_filters_tap_by_tap() -> None:
    images, kernels = pictures(3), torch.randn(3, 3, 3)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = np.zeros(images.shape)
    for i in range(3):
        for y in range(3):
            for x in range(3):
                expected[i] += float(kernels[i, y, x]) * padded[i, :, y : y + 24, x : x + 33]
    np.testing.assert_allclose(filter_each(images, kernels).numpy(), expected.clip(0, 1), atol=1e-5)


def test_displacements_are_sums_of_sines() -> None:
    cuts, most = torch.tensor([2, 5, 7]), 7
    fields = displacements(seeds(3), cuts, most, (24, 33))
    noise = normal_field(seeds(3), (2, most, most)).double().numpy()
    y, x = np.linspace(0, 1, 24)[:, None], np.linspace(0, 1, 33)
    for i, cut in enumerate(cuts.tolist()):
        for axis in range(2):
            expected = np.zeros((24, 33))
            for a in range(1, most + 1):
                for b in range(1, most + 1):
                    if math.hypot(a, b) < cut + 0.5:
                        weight = noise[i, axis, a - 1, b - 1] / math.hypot(a, b)
                        expected += weight * np.sin(math.pi * a * y) * np.sin(math.pi * b * x)
            np.testing.assert_allclose(fields[i, axis].numpy(), expected, atol=1e-4)


def test_temperatures_give_the_papers_displacements() -> None:
    """At the lowest the typical displacement, side · sqrt(pi · T · log cut) / 2, is half a pixel."""
    cut = torch.tensor([2.0, 3, 10])
    low, high = (temperatures(torch.full((3,), share), cut, 224) for share in (0.0, 1.0))
    assert torch.allclose(224 * (math.pi * low * cut.log()).sqrt() / 2, torch.full((3,), 0.5), atol=1e-5)
    assert torch.allclose(high, 4 / (math.pi**3 * cut**2 * cut.log()))
    assert (
        temperatures(torch.ones(1), torch.tensor([500.0]), 32)
        == temperatures(torch.zeros(1), torch.tensor([500.0]), 32)
    ).all()


def test_remap_pixel_by_pixel() -> None:
    images = pictures(1)
    right, down = torch.randn(1, 24, 33) * 3, torch.randn(1, 24, 33) * 3
    result, image = remap(images, right, down)[0].numpy(), images[0].numpy()
    for y in range(24):
        for x in range(33):
            row = min(max(y + float(down[0, y, x]), 0), 23)
            column = min(max(x + float(right[0, y, x]), 0), 32)
            top, left = min(int(row), 22), min(int(column), 31)
            v, u = row - top, column - left
            expected = (1 - v) * ((1 - u) * image[:, top, left] + u * image[:, top, left + 1]) + v * (
                (1 - u) * image[:, top + 1, left] + u * image[:, top + 1, left + 1]
            )
            np.testing.assert_allclose(result[:, y, x], expected, atol=1e-4)


@pytest.mark.parametrize(("op", "channels"), [(PRIME(p=0.8), 3), (PRIME.imagenet(), 3), (PRIME(geometric=False), 1)])
def test_same_for_any_batch(op, channels) -> None:
    images = pictures(6, channels)
    whole, before = op(images, seeds(6)), images.clone()
    alone = torch.cat([op(images[i : i + 1], seeds(6)[i : i + 1]) for i in range(6)])
    assert torch.equal(alone, whole) and torch.equal(images, before)
    assert whole.min() >= 0 and whole.max() <= 1
    assert torch.equal((whole != images).flatten(1).any(1), op.sample(images.shape, seeds(6)).chosen)


def test_each_primitive_changes_images_and_weak_ones_do_not() -> None:
    images = pictures(4)
    strong, weak = PRIME(), PRIME(temperature=0.0, sigma=0.0)
    for name in ("_color", "_filter", "_diffeomorphism"):
        assert (getattr(strong, name)(images, seeds(4)) != images).flatten(1).any(1).all()
    for name in ("_color", "_filter"):
        assert torch.allclose(getattr(weak, name)(images, seeds(4)), images, atol=0.51 / 1020)


def test_class_masks_are_refused_where_images_are_moved() -> None:
    masks, op = torch.zeros(2, 8, 8, dtype=torch.int64), PRIME()
    params = op.sample(torch.Size((2, 3, 8, 8)), seeds(2))
    with pytest.raises(ValueError, match=r"expected targets N or N×K for PRIME, got \(2, 8, 8\)"):
        op.change_targets(masks, params, 4)
    assert PRIME(geometric=False).change_targets(masks, params, 4) is masks


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diffeo_cut": 2}, "expected diffeo_cut of at least 3"),
        ({"bandwidth": 0}, "got 100, 100 and 0"),
        ({"sigma": -1}, "expected temperature and sigma of at least 0, got 0.01 and -1"),
    ],
)
def test_wrong_settings(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        PRIME(**options)
