"""Intervals against published numbers, the defining equation, and their coverage."""

import math

import pytest
import torch

from robustlit.metrics import bootstrap_mean_iou, mean_iou, wilson


def test_wilson_equals_newcombe_1998():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for successes, n, expected in (
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ):
        assert wilson(successes, n) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("successes", "n"), [(3, 10), (99, 100), (500, 10_000)])
def test_ends_solve_the_score_equation(successes, n):
    for end in wilson(successes, n):
        assert abs(successes / n - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / n), rel=1e-5)


def test_ends_stay_in_range():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (6, 5), (-1, 5)])
def test_impossible_counts(successes, n):
    with pytest.raises(ValueError, match="expected 0 <= successes <= n"):
        wilson(successes, n)


def confusions(images):
    right = torch.randint(10, 30, (images, 2))
    wrong = torch.randint(0, 10, (images, 2))
    return torch.stack((right[:, 0], wrong[:, 0], wrong[:, 1], right[:, 1]), 1).view(images, 2, 2)


def test_bootstrap_surrounds_the_score_is_repeatable_and_shrinks():
    few, many = confusions(20), confusions(500)
    low, high = bootstrap_mean_iou(few)
    assert low < mean_iou(few.sum(0)).item() < high
    assert bootstrap_mean_iou(few) == (low, high)
    assert bootstrap_mean_iou(few, seed=1) != (low, high)
    # the width goes with one over the root of the number of images: 5 times as narrow
    narrow = bootstrap_mean_iou(many)
    assert (high - low) / (narrow[1] - narrow[0]) == pytest.approx(5, rel=0.4)


def test_autocast_does_not_change_the_bootstrap():
    counts = confusions(20)
    expected = bootstrap_mean_iou(counts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert bootstrap_mean_iou(counts) == expected


def test_bootstrap_of_one_image_has_no_width_and_of_none_is_an_error():
    one = confusions(1)
    assert bootstrap_mean_iou(one) == pytest.approx((mean_iou(one[0]).item(),) * 2)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_mean_iou(one[:0])
