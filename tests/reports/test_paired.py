"""Paired intervals: McNemar's in closed form, and that they cover the truth as often as they say."""

import math

import numpy as np
import pytest

from robustlit.reports.paired import common_images, paired_difference


def test_right_and_wrong_give_mcnemar():
    first = np.array([1] * 40 + [1] * 12 + [0] * 5 + [0] * 43, float)
    second = np.array([1] * 40 + [0] * 12 + [1] * 5 + [0] * 43, float)
    found = paired_difference(first, second)
    n, b, c = 100, 12, 5
    variance = ((b + c) / n - ((b - c) / n) ** 2) / (n - 1)
    assert found.value == pytest.approx((b - c) / n)
    assert found.high - found.value == pytest.approx(1.959963984540054 * math.sqrt(variance))
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_intervals_cover_as_often_as_they_say():
    draws = np.random.default_rng(0)
    covered, truth = 0, 0.8 - _expected(0.7)
    for _ in range(400):
        ease = draws.random(300)
        found = paired_difference(
            (ease < 0.8).astype(float), (ease + 0.1 * draws.standard_normal(300) < 0.7).astype(float)
        )
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / 400 <= 0.975


def _expected(bound):
    """P(u + 0.1 z < bound) of uniform u and normal z, by a fine grid of u."""
    u = (np.arange(20_000) + 0.5) / 20_000
    return float(np.mean([0.5 * (1 + math.erf((bound - x) / 0.1 / math.sqrt(2))) for x in u]))


def test_only_images_of_both_count_in_the_order_of_their_index():
    one = {
        "index": np.array([1, 3, 5, 7]),
        "fog/1": np.array([1, 0, 1, 0], bool),
        "fog/2": np.array([1, 0, 0, 0], bool),
    }
    other = {"index": np.array([3, 5, 9]), "fog/1": np.array([1, 1, 1], bool), "fog/2": np.array([0, 1, 1], bool)}
    first, second = common_images([one, other], ["fog/1", "fog/2"])
    assert first.tolist() == [0.0, 0.5] and second.tolist() == [0.5, 1.0]
    assert common_images([one, other], ["snow/1"]) is None
    assert common_images([one, {**other, "index": np.array([2, 4, 6])}], ["fog/1"]) is None
    third = {
        "index": np.array([7, 5, 1]),
        "fog/1": np.array([0, 1, 0], bool),
    }  # shares two with the first, one with both
    scores = common_images([one, other, third], ["fog/1"])
    assert [each.tolist() for each in scores] == [[1.0], [1.0], [1.0]]


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="same images, got 2 and 3"):
        paired_difference(np.zeros(2), np.zeros(3))
