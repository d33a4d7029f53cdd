"""The noise field against the normal distribution, and its windows against the whole."""

import math

import pytest
import torch

from robustlit.augmentations.noise_field import normal_field, normal_window
from robustlit.core.random import sample_seeds


def seeds(count: int) -> torch.Tensor:
    return sample_seeds(7, torch.arange(count))


def test_is_standard_normal() -> None:
    noise = normal_field(seeds(8), (3, 128, 128)).double()
    n = noise.numel()
    assert abs(noise.mean()) < 5 / math.sqrt(n)
    assert abs(noise.square().mean() - 1) < 5 * math.sqrt(2 / n)
    assert abs(noise.pow(4).mean() - 3) < 5 * math.sqrt(96 / n)
    for limit in (-2, -1, 0, 1, 2, 3):
        share = 0.5 * (1 + math.erf(limit / math.sqrt(2)))
        assert abs((noise < limit).double().mean() - share) < 5 * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize("shift", [(0, 0, 1), (0, 0, 2), (0, 1, 0), (1, 0, 0), (0, 1, 1), (0, 5, 3)])
def test_neighbours_channels_and_samples_are_independent(shift) -> None:
    noise = normal_field(seeds(8), (3, 64, 64))
    moved = noise.roll(shift, dims=(1, 2, 3))
    assert abs((noise * moved).mean()) < 5 / math.sqrt(noise.numel())
    assert abs((noise[:4] * noise[4:]).mean()) < 5 / math.sqrt(noise.numel() / 2)


def test_does_not_repeat() -> None:
    noise = normal_field(seeds(2), (3, 224, 224)).flatten(1)
    power = torch.fft.rfft(noise).abs().square() / noise.shape[1]
    assert power.max() < 25  # exponential with mean 1: beyond 25 once in 10^11


@pytest.mark.parametrize("width", [16, 17])
def test_a_window_is_cut_out_of_the_whole(width) -> None:
    shape, keys = (3, 9, width), seeds(4)
    whole = normal_field(keys, shape)
    for i, seed in enumerate(keys.tolist()):
        for rows, columns in ((slice(0, 9), slice(0, width)), (slice(2, 5), slice(3, 8)), (slice(8, 9), slice(6, 7))):
            assert torch.equal(normal_window(seed, shape, rows, columns), whole[i, :, rows, columns])


def test_same_for_any_batch() -> None:
    whole = normal_field(seeds(5), (1, 7, 9))
    assert torch.equal(torch.cat([normal_field(seeds(5)[i : i + 1], (1, 7, 9)) for i in range(5)]), whole)
