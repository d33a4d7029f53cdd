"""Flip probabilities by hand and against a loop over frames."""

import math

import pytest
import torch

from robustlit.metrics import FlipProbability, flip_probability, mean_flip_rate


def by_loop(predictions, noise):
    """The definition of ImageNet-P, frame by frame."""
    means = []
    for sequence in predictions.tolist():
        pairs = [(sequence[0] if noise else sequence[j - 1], sequence[j]) for j in range(1, len(sequence))]
        means.append(sum(before != after for before, after in pairs) / len(pairs))
    return sum(means) / len(means)


@pytest.mark.parametrize("noise", [False, True])
def test_flip_probability_equals_a_loop(noise):
    predictions = torch.randint(3, (20, 31))
    assert flip_probability(predictions, noise=noise).mean().item() == pytest.approx(by_loop(predictions, noise))


def test_one_change_flips_once_but_stays_different_from_the_first():
    predictions = torch.tensor([[5, 5, 2, 2, 2]])
    assert flip_probability(predictions).item() == 0.25
    assert flip_probability(predictions, noise=True).item() == 0.75


def test_metric_over_batches():
    metric = FlipProbability(["gaussian_noise", "tilt", "snow"], frames=4)
    noise, tilt = torch.randint(2, (9, 4)), torch.randint(2, (6, 4))
    for start in (0, 5):
        metric.update("gaussian_noise", noise[start : start + 5])
    filled = torch.cat((tilt, torch.tensor([[0, 1, 0, 1]] * 2)))  # two that only fill the batch
    metric.update("tilt", filled, valid=torch.tensor([True] * 6 + [False] * 2))
    result = metric.compute()
    assert set(result.perturbations) == {"gaussian_noise", "tilt"}
    rates = result.perturbations
    assert rates["gaussian_noise"].probability == pytest.approx(by_loop(noise, noise=True))
    assert rates["tilt"].probability == pytest.approx(by_loop(tilt, noise=False))
    assert (rates["gaussian_noise"].n, rates["tilt"].n) == (9, 6)
    assert result.mean == pytest.approx((by_loop(noise, True) + by_loop(tilt, False)) / 2)


def test_interval_is_that_of_the_mean_over_sequences():
    predictions = torch.tensor([[0, 0, 0], [0, 1, 1], [0, 1, 0], [0, 0, 0], [0, 1, 1]])
    metric = FlipProbability(["tilt"], frames=3)
    metric.update("tilt", predictions)
    each = torch.tensor([0, 0.5, 1, 0, 0.5], dtype=torch.float64)
    half = 1.959964 * each.std().item() / 5**0.5
    rate = metric.compute().perturbations["tilt"]
    assert (rate.low, rate.high) == pytest.approx((max(0.0, 0.4 - half), min(1.0, 0.4 + half)), abs=1e-6)


def test_one_sequence_says_nothing_about_the_others():
    metric = FlipProbability(["tilt"], frames=3)
    metric.update("tilt", torch.tensor([[0, 1, 1]]))
    assert metric.compute().perturbations["tilt"][1:] == (1, 0.0, 1.0)


def test_mean_flip_rate():
    assert mean_flip_rate({"tilt": 0.1, "snow": 0.2}, {"tilt": 0.4, "snow": 0.1}) == pytest.approx((0.25 + 2) / 2)
    with pytest.raises(ValueError, match=r"got none for \['snow'\]"):
        mean_flip_rate({"tilt": 0.1, "snow": 0.2}, {"tilt": 0.4})


def test_wrong_input():
    metric = FlipProbability(["tilt", "snow"], frames=3)
    with pytest.raises(ValueError, match="try 'tilt'"):
        metric.update("tild", torch.zeros(2, 3))
    with pytest.raises(ValueError, match="expected predictions N×3"):
        metric.update("tilt", torch.zeros(2, 4))
    with pytest.raises(ValueError, match="T >= 2"):
        flip_probability(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="at least 2 frames"):
        FlipProbability(["tilt"], frames=1)


def test_a_reference_that_never_flips_gives_no_rate():
    assert math.isnan(mean_flip_rate({"tilt": 0.1, "snow": 0.3}, {"tilt": 0.0, "snow": 0.3}))
