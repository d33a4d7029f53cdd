"""Means of shares and paired differences: closed forms, and how often the intervals hold what they should."""

import math

import pytest
import torch

from robustlit.metrics import bootstrap_mean_iou, mean_iou, wilson
from robustlit.metrics.interval import resampled_mean_iou
from robustlit.metrics.rates import mean_share, paired_difference


def test_hits_have_wilsons_interval_and_shares_the_normal_one():
    hits = torch.tensor([1.0] * 7 + [0.0] * 3)
    assert mean_share(hits) == (pytest.approx(0.7), *wilson(7, 10))
    shares = torch.tensor([0.25, 0.5, 1.0, 0.75])
    half = 1.959963984540054 * shares.double().std().item() / 2
    assert mean_share(shares) == pytest.approx((0.625, 0.625 - half, 0.625 + half))
    assert mean_share(torch.tensor([0.5]))[1:] == (0.0, 1.0)  # one image tells nothing


def test_a_paired_difference_is_that_of_agresti_and_min():
    first = torch.tensor([1.0] * 12 + [0.0] * 3 + [1.0] * 30 + [0.0] * 5)
    second = torch.tensor([0.0] * 12 + [1.0] * 3 + [1.0] * 30 + [0.0] * 5)
    b, c, n = 12.5, 3.5, 52  # discordant pairs, half a pair added to each of the four cells
    centre, half = (b - c) / n, 1.959963984540054 * math.sqrt(b + c - (b - c) ** 2 / n) / n
    assert paired_difference(first, second) == pytest.approx((9 / 50, centre - half, centre + half))


def test_equal_answers_have_an_interval_too():
    value, low, high = paired_difference(torch.ones(20), torch.ones(20))
    assert (value, low) == (0, -high)
    assert 0 < high < 0.2


def test_the_paired_interval_holds_the_truth_about_as_often_as_it_says():
    """Exactly, over all outcomes of 60 images of which a share is lost and none is won."""
    for share in (0.05, 0.22, 0.5):
        held = 0.0
        for lost in range(61):
            first = torch.tensor([1.0] * lost + [0.0] * (60 - lost))
            _, low, high = paired_difference(first, torch.zeros(60))
            if low <= share <= high:
                held += math.comb(60, lost) * share**lost * (1 - share) ** (60 - lost)
        assert 0.92 <= held <= 0.99


def test_resampled_overlaps_are_those_of_the_bootstrap_and_paired():
    confusions = torch.randint(20, (30, 3, 3), generator=torch.Generator().manual_seed(1))
    drawn = resampled_mean_iou(confusions)
    assert tuple(drawn.quantile(torch.tensor([0.025, 0.975])).tolist()) == bootstrap_mean_iou(confusions)
    assert drawn.mean().item() == pytest.approx(mean_iou(confusions.sum(0)).item(), abs=0.02)
    assert torch.equal(resampled_mean_iou(confusions) - drawn, torch.zeros(1000))  # the same images are drawn
