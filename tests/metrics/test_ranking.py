"""Exact ROC figures: torchmetrics, the sums written out, and hand-made cases."""

import math

import pytest
import torch
from torchmetrics import functional as reference

from robustlit.metrics.ranking import (
    area_under_roc,
    auroc_interval,
    average_precision,
    average_precision_interval,
    fpr_at_tpr,
    roc_curve,
    threshold_at_specificity,
)


def drawn(seed: int, n: int = 400):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, generator=generator, dtype=torch.float64)
    if seed % 2:
        scores = (scores * 20).round() / 20  # ties
    return scores, torch.rand(n, generator=generator) < scores * 0.5


@pytest.mark.parametrize("seed", range(4))
def test_areas_equal_those_of_torchmetrics(seed):
    scores, positives = drawn(seed)
    labels = positives.long()
    assert area_under_roc(scores, positives) == pytest.approx(
        float(reference.auroc(scores, labels, task="binary")), abs=1e-6
    )
    assert average_precision(scores, positives) == pytest.approx(
        float(reference.average_precision(scores, labels, task="binary")), abs=1e-6
    )
    false_rate, true_rate, _ = reference.roc(scores, labels, task="binary")
    expected = float(false_rate[true_rate >= 0.95].min())
    assert fpr_at_tpr(scores, positives) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("specificity", [0.5, 0.9, 0.95])
def test_the_threshold_has_the_highest_sensitivity_that_torchmetrics_finds(specificity):
    for seed in range(4):
        scores, positives = drawn(seed)
        threshold = threshold_at_specificity(scores, positives, specificity)
        found = (scores[positives] >= threshold).double().mean()
        expected, _ = reference.classification.binary_sensitivity_at_specificity(
            scores, positives.long(), min_specificity=specificity
        )
        assert float(found) == pytest.approx(float(expected), abs=1e-6)
        assert float((scores[~positives] < threshold).double().mean()) >= specificity


def test_the_interval_is_that_of_delong_written_out():
    scores, positives = drawn(1, 60)
    trues, falses = scores[positives], scores[~positives]
    wins = (trues[:, None] > falses).double() + (trues[:, None] == falses).double() / 2
    error = math.sqrt(wins.mean(1).var() / len(trues) + wins.mean(0).var() / len(falses))
    low, high = auroc_interval(scores, positives)
    assert float(wins.mean()) == pytest.approx(area_under_roc(scores, positives))
    assert (high - low) / 2 == pytest.approx(1.959964 * error, abs=1e-6)


def test_groups_that_are_apart_leave_room_for_doubt():
    scores, positives = torch.arange(10.0), torch.arange(10) >= 5
    assert area_under_roc(scores, positives) == 1
    low, high = auroc_interval(scores, positives)
    assert high == 1
    assert 0.5 < low < 0.75  # five against five
    assert auroc_interval(-scores, positives) == pytest.approx((0, 1 - low))
    wide, _ = auroc_interval(torch.arange(1000.0), torch.arange(1000) >= 500)
    assert wide > 0.98


def test_without_two_groups_or_with_nan_there_is_no_figure():
    for scores, positives in (
        (torch.ones(3), torch.ones(3, dtype=torch.bool)),
        (torch.ones(3), torch.zeros(3, dtype=torch.bool)),
        (torch.tensor([math.nan, 1.0]), torch.tensor([True, False])),
    ):
        for figure in (area_under_roc, average_precision, fpr_at_tpr):
            assert math.isnan(figure(scores, positives))
        assert auroc_interval(scores, positives) == (0, 1)


def test_a_curve_has_one_point_a_score():
    false_rate, true_rate, thresholds = roc_curve(torch.tensor([0.5, 0.5, 0.2]), torch.tensor([True, False, False]))
    assert false_rate.tolist() == [0, 0.5, 1]
    assert true_rate.tolist() == [0, 1, 1]
    assert thresholds.tolist() == pytest.approx([math.inf, 0.5, 0.2])


def test_no_score_may_be_high_enough():
    scores, positives = torch.tensor([0.9, 0.5]), torch.tensor([False, True])
    assert threshold_at_specificity(scores, positives, 0.9) == math.inf


def test_an_average_precision_of_one_has_no_logit():
    assert average_precision_interval(1.0, 10) == (None, None)
