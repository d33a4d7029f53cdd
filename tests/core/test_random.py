"""Draws depend on seed and position alone, and look like what they claim to be."""

import math

import pytest
import torch

from robustlit.core import random
from robustlit.core.random import fold, mix, normal, sample_seeds, uniform


def splitmix64(x: int) -> int:
    """SplitMix64's next(), from its published definition, in plain integers."""
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def test_published_value_of_splitmix64() -> None:
    assert splitmix64(0) == 0xE220A8397B1DCDAF  # first output for seed 0
    assert mix(0) == 0xE220A8397B1DCDAF >> 1


def test_fold_equals_plain_integers() -> None:
    seeds = torch.tensor([0, 1, 2**62, 12345])
    expected = [splitmix64(value ^ 99) >> 1 for value in seeds.tolist()]
    assert fold(seeds, 99).tolist() == expected


@pytest.mark.parametrize("draw", [uniform, normal])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 32, 32), (3, 150, 151)])
def test_independent_of_batch_and_order(draw, shape) -> None:
    seeds = sample_seeds(1, torch.arange(9))
    together = draw(seeds, shape)
    assert together.shape == (9, *shape)
    order = torch.tensor([4, 0, 8, 3, 1, 2, 7, 5, 6])
    assert torch.equal(draw(seeds[order], shape), together[order])
    assert torch.equal(torch.cat([draw(seeds[i : i + 1], shape) for i in range(9)]), together)


@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_longer_draw_begins_with_the_shorter(draw) -> None:
    seeds = sample_seeds(1, torch.arange(2))
    assert torch.equal(draw(seeds, (200_001,))[:, :77], draw(seeds, (77,)))


@pytest.mark.parametrize("draw", [uniform, normal])
@pytest.mark.parametrize("count", [2 * random._CHUNK, 2 * random._CHUNK + 1, random._CHUNK + 700, random._CHUNK + 300])
def test_draws_longer_than_a_chunk_are_those_of_one_go(draw, count, monkeypatch) -> None:
    seeds = sample_seeds(1, torch.arange(2))
    in_chunks = draw(seeds, (count,))
    monkeypatch.setattr(random, "_CHUNK", 1 << 30)
    assert torch.equal(draw(seeds, (count,)), in_chunks)


@pytest.mark.parametrize("draw", [uniform, normal])
@pytest.mark.parametrize("default", [torch.bfloat16, torch.float64])
def test_draws_are_float32_whatever_the_type_of_new_tensors(draw, default) -> None:
    seeds = sample_seeds(1, torch.arange(2))
    expected = draw(seeds, (700,))
    torch.set_default_dtype(default)
    try:
        found = draw(seeds, (700,))
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_no_global_generator_is_touched() -> None:
    before = torch.get_rng_state()
    normal(sample_seeds(0, torch.arange(3)), (10,))
    assert torch.equal(torch.get_rng_state(), before)


def test_uniform_is_uniform() -> None:
    draws = uniform(sample_seeds(5, torch.arange(64)), (16_384,))
    counts = torch.histc(draws, bins=256, min=0, max=1)
    expected = draws.numel() / 256
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert abs(chi_square - 255) < 5 * math.sqrt(2 * 255)
    assert draws.min() >= 0 and draws.max() < 1


@pytest.mark.parametrize("lag", [1, 2, 3, 224])
def test_pairs_of_numbers_fill_the_square_evenly(lag) -> None:
    draws = (uniform(sample_seeds(5, torch.arange(64)), (65_536,)) * 64).int()
    counts = torch.bincount((draws[:, lag:] * 64 + draws[:, :-lag]).flatten(), minlength=4096).double()
    expected = counts.mean()
    assert abs(((counts - expected) ** 2 / expected).sum() - 4095) < 5 * math.sqrt(2 * 4095)


def test_the_two_numbers_of_a_pair_are_independent() -> None:
    draws = normal(sample_seeds(5, torch.arange(64)), (64, 2, 512)).double()  # runs of cosines, then of their sines
    first, second, n = draws[:, :, 0], draws[:, :, 1], draws.numel() / 2
    assert abs((first * second).mean()) < 5 / math.sqrt(n)
    assert abs(((first**2 - 1) * (second**2 - 1)).mean()) < 5 * 2 / math.sqrt(n)
    quarter = torch.atan2(second, first).div(math.pi / 2).floor().flatten()
    radius = (-(first**2 + second**2) / 2).exp().mul(8).long().clamp(max=7).flatten()  # uniform: how far out
    counts = torch.bincount((radius * 4 + quarter.long() + 2), minlength=32).double()
    assert abs(((counts - n / 32) ** 2 / (n / 32)).sum() - 31) < 5 * math.sqrt(2 * 31)


def test_a_bit_of_the_seed_changes_half_of_the_bits_drawn() -> None:
    seeds = sample_seeds(3, torch.arange(512))
    before = (uniform(seeds, (64,)) * 2**24).int()
    for bit in (0, 1, 31, 32, 61):
        changed = (uniform(seeds ^ (1 << bit), (64,)) * 2**24).int() ^ before
        share = torch.stack([(changed >> place & 1).double().mean() for place in range(24)])
        assert (share - 0.5).abs().max() < 5 * 0.5 / math.sqrt(changed.numel())


def test_normal_moments_and_independence() -> None:
    draws = normal(sample_seeds(5, torch.arange(64)), (16_384,)).double()
    n = draws.numel()
    assert abs(draws.mean()) < 5 / math.sqrt(n)
    assert abs(draws.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((draws**4).mean() - 3) < 5 * math.sqrt(96 / n)
    for lag in (1, 2, 3, 64):
        assert abs((draws[:, lag:] * draws[:, :-lag]).mean()) < 5 / math.sqrt(n)
    assert abs((draws[1:] * draws[:-1]).mean()) < 5 / math.sqrt(n)


def test_seeds_and_keys_give_unrelated_draws() -> None:
    indices = torch.arange(1000)
    seeds = [sample_seeds(s, indices) for s in (0, 1, 2)] + [fold(sample_seeds(0, indices), "noise")]
    assert torch.cat(seeds).unique().numel() == 4000
    draws = torch.stack([normal(s) for s in seeds]).double()
    off_diagonal = torch.corrcoef(draws) - torch.eye(4)
    assert off_diagonal.abs().max() < 5 / math.sqrt(1000)


def test_wrong_seeds_are_refused_with_the_way_out() -> None:
    with pytest.raises(TypeError, match=r"expected seeds as an int64 tensor of shape N.*sample_seeds"):
        uniform(torch.rand(3))
