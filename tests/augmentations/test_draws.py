"""Gamma and beta draws against closed forms of their distributions."""

import math

import pytest
import torch

from robustlit.augmentations.draws import beta_draws, gamma_draws
from robustlit.core.random import sample_seeds

N = 20_000
SEEDS = sample_seeds(9, torch.arange(N))


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 2.0, 5.0])
def test_gamma_moments(alpha) -> None:
    draws = gamma_draws(SEEDS, alpha, 2).flatten()
    n = len(draws)
    variance_error = math.sqrt((3 * alpha**2 + 6 * alpha - alpha**2) / n)  # of the mean square deviation
    assert abs(draws.mean() - alpha) < 5 * math.sqrt(alpha / n)
    assert abs(draws.var() - alpha) < 5 * variance_error
    assert draws.min() > 0


@pytest.mark.parametrize(
    ("alpha", "cdf"),
    [
        (0.5, lambda x: 2 / math.pi * math.asin(math.sqrt(x))),
        (1.0, lambda x: x),
        (2.0, lambda x: x * x * (3 - 2 * x)),
    ],
)
def test_beta_distribution(alpha, cdf) -> None:
    draws = beta_draws(SEEDS, alpha).double()
    for x in (0.01, 0.1, 0.3, 0.5, 0.8, 0.99):
        assert abs((draws <= x).double().mean() - cdf(x)) < 5 * math.sqrt(cdf(x) * (1 - cdf(x)) / N)


def test_small_parameters_stay_within_bounds() -> None:
    draws = beta_draws(SEEDS, 0.05)
    assert torch.isfinite(draws).all() and draws.min() >= 0 and draws.max() <= 1


def test_draws_are_per_sample() -> None:
    assert torch.equal(gamma_draws(SEEDS[3:4], 0.4, 3)[0], gamma_draws(SEEDS[:6], 0.4, 3)[3])
