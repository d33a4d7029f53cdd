"""Random convolution against plain loops and the grouped form that CUDA takes."""

import math

import pytest
import torch
from torch.nn import functional as F

from robustlit.augmentations import RandomConvolution, Voronoi
from robustlit.augmentations.random_convolution import random_convolution
from tests.augmentations.style_cases import pictures, seeds


def test_tap_by_tap() -> None:
    images, op = pictures(4, size=(9, 11)), RandomConvolution(p=1.0, alpha=1.0)
    params = op.sample(images.shape, seeds(4))
    weights = params.detail[0][:, 0]
    result = random_convolution(images, weights)
    padded = F.pad(images - 0.5, (3, 3, 3, 3)).double()
    for i in range(4):
        for out in range(3):
            expected = torch.full((9, 11), 0.5, dtype=torch.float64)
            for channel in range(3):
                for y in range(7):
                    for x in range(7):
                        expected += weights[i, out, channel, y, x] * padded[i, channel, y : y + 9, x : x + 11]
            assert torch.allclose(result[i, out].double(), expected, atol=1e-5)


def test_one_grouped_convolution_is_the_same() -> None:
    """What runs on CUDA: kernels padded with zeros to the largest size, one group a sample."""
    images, op = pictures(5), RandomConvolution(p=1.0)
    weights = op.sample(images.shape, seeds(5)).detail[0][:, 0]
    flat = (images - 0.5).reshape(1, 15, 24, 33)
    grouped = F.conv2d(flat, weights.reshape(15, 3, 7, 7), padding=3, groups=5).view(images.shape) + 0.5
    assert torch.allclose(grouped, random_convolution(images, weights), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_weights_have_their_size_and_variance(channels) -> None:
    op = RandomConvolution(region=Voronoi(2))
    weights, sizes = op.sample(torch.Size((2000, channels, 8, 8)), seeds(2000)).detail
    assert weights.shape == (2000, 2, channels, channels, 7, 7)
    for size in (1, 3, 5, 7):
        found = weights[sizes == size]
        assert abs(len(found) - 1000) < 5 * math.sqrt(750)
        edge = (7 - size) // 2
        middle = found[..., edge : 7 - edge, edge : 7 - edge]
        assert 0.999 * middle.numel() < middle.count_nonzero() == found.count_nonzero()
        expected = 1 / (channels * size**2)
        assert abs(middle.square().mean() / expected - 1) < 5 * math.sqrt(2 / middle.numel())


def test_kernels_of_zeros_alone() -> None:
    images = pictures(2, channels=1)
    assert torch.equal(random_convolution(images, torch.zeros(2, 1, 1, 5, 5)), torch.full_like(images, 0.5))
