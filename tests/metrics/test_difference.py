"""Gaps between groups: Newcombe's published intervals, and the allowance for having picked the largest."""

import math
from statistics import NormalDist

import pytest

from robustlit.metrics.cells import CellScore
from robustlit.metrics.difference import largest_gap, rate_difference


@pytest.mark.parametrize(
    ("counts", "expected"),  # Newcombe, Statistics in Medicine 1998, table II, method 10
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_intervals_are_the_published_ones(counts, expected):
    assert rate_difference(*counts) == pytest.approx(expected, abs=1e-4)


def score(hits: int, n: int) -> CellScore:
    return CellScore(hits / n, n, 0.0, 1.0)


def test_the_extremes_are_found_and_every_pair_is_allowed_for():
    groups = {"a": score(50, 100), "b": score(90, 100), "c": score(70, 100)}
    gap = largest_gap(groups, rates=True)
    assert (gap.best, gap.worst, gap.pairs) == ("b", "a", 3)
    assert gap.value == pytest.approx(0.4)
    assert (gap.low, gap.high) == rate_difference(90, 100, 50, 100, NormalDist().inv_cdf(1 - 0.025 / 3))
    low, high = rate_difference(90, 100, 50, 100)
    assert gap.low < low < high < gap.high


def test_other_scores_have_the_interval_of_their_errors():
    groups = {"a": CellScore(0.9, 40, 0.802, 0.998), "b": CellScore(0.05, 40, 0.0, 0.148)}  # cut at 0
    gap = largest_gap(groups, rates=False)
    half = math.hypot(0.098, 0.098)
    assert (gap.low, gap.high) == pytest.approx((0.85 - half, 0.85 + half), abs=1e-9)


def test_one_group_has_no_gap():
    assert largest_gap({"a": score(1, 2)}, rates=True) is None
    assert largest_gap({"a": score(1, 2), "b": CellScore(math.nan, 2, 0, 1)}, rates=True) is None
    assert largest_gap({"a": score(1, 2), "b": score(2, 4)}, rates=True).value == 0
