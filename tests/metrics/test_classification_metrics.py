"""Calibration error, AUROC and mean against torchmetrics' unbinned ones and against loops."""

import math

import pytest
import torch
from torchmetrics.classification import (
    BinaryCalibrationError,
    MulticlassAUROC,
    MulticlassCalibrationError,
    MultilabelAUROC,
)

from robustlit.metrics import AUROC, CalibrationError, Mean


def single_label(scale=2.0):
    targets = torch.randint(4, (600,))
    logits = torch.randn(600, 4) + torch.nn.functional.one_hot(targets, 4)
    return (scale * logits).softmax(1), targets


def filled(metric, probabilities, targets):
    for start in range(0, len(targets), 128):
        metric.update(probabilities[start : start + 128], targets[start : start + 128])
    return metric.compute().item()


@pytest.mark.parametrize("scale", [0.5, 8.0])
def test_calibration_error_equals_torchmetrics(scale):
    probabilities, targets = single_label(scale)
    expected = MulticlassCalibrationError(4, n_bins=15)(probabilities, targets).item()
    assert filled(CalibrationError(), probabilities, targets) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_changes_no_figure(dtype):
    probabilities, targets = single_label(8.0)
    expected = [filled(metric, probabilities, targets) for metric in (CalibrationError(), AUROC(4))]
    with torch.autocast("cpu", dtype=dtype):
        assert [filled(metric, probabilities, targets) for metric in (CalibrationError(), AUROC(4))] == expected


def test_calibration_error_does_not_depend_on_order_or_batches():
    probabilities, targets = single_label(8.0)
    once = CalibrationError()(probabilities.flip(0), targets.flip(0)).item()
    assert filled(CalibrationError(), probabilities, targets) == once


@pytest.mark.parametrize("ignore_index", [None, 255, 2])
def test_calibration_of_maps_is_that_of_their_valid_pixels(ignore_index):
    probabilities, targets = (3 * torch.randn(2, 4, 5, 6)).softmax(1), torch.randint(4, (2, 5, 6))
    targets[0, 1] = 3 if ignore_index is None else ignore_index
    valid = torch.ones_like(targets).bool().flatten() if ignore_index is None else (targets != ignore_index).flatten()
    pixels, classes = probabilities.movedim(1, -1).flatten(0, 2)[valid], targets.flatten()[valid]
    expected = MulticlassCalibrationError(4, n_bins=15)(pixels, classes).item()
    assert CalibrationError(ignore_index=ignore_index)(probabilities, targets).item() == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("metric", [AUROC(4), CalibrationError()])
@pytest.mark.parametrize("label", [lambda targets: targets, lambda targets: torch.eye(4).long()[targets]])
def test_a_probability_that_is_nan_is_seen(metric, label):
    probabilities, targets = single_label()
    probabilities[300, 1] = torch.nan
    metric.reset()
    assert math.isnan(filled(metric, probabilities, label(targets)))
    metric.reset()
    assert math.isfinite(filled(metric, probabilities[:300], label(targets)[:300]))


def test_multilabel_calibration_counts_every_label():
    probabilities, targets = torch.rand(300, 5), torch.randint(2, (300, 5))
    # the likelier answer of each label, seen as a binary question of its own
    confidence, right = torch.maximum(probabilities, 1 - probabilities), (probabilities > 0.5) == (targets == 1)
    expected = BinaryCalibrationError(n_bins=15)(confidence.flatten(), right.long().flatten()).item()
    assert filled(CalibrationError(), probabilities, targets) == pytest.approx(expected, abs=1e-6)


def test_full_confidence_falls_in_the_last_bin():
    assert filled(CalibrationError(), torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1])) == pytest.approx(0.25)


@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_auroc_equals_the_unbinned_one(scale):
    probabilities, targets = single_label(scale)
    expected = MulticlassAUROC(4)(probabilities, targets).item()
    assert filled(AUROC(4), probabilities, targets) == pytest.approx(expected, abs=1e-3)


def test_multilabel_auroc_equals_the_unbinned_one():
    targets = torch.randint(2, (500, 3))
    probabilities = (torch.randn(500, 3) + targets).sigmoid()
    expected = MultilabelAUROC(3)(probabilities, targets).item()
    assert filled(AUROC(3), probabilities, targets) == pytest.approx(expected, abs=1e-3)


def test_auroc_leaves_out_classes_without_a_curve_and_takes_certain_answers():
    probabilities = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert filled(AUROC(3), probabilities, torch.tensor([0, 1, 0, 1])) == 1.0
    assert filled(AUROC(3), probabilities, torch.tensor([1, 0, 1, 0])) == 0.0


def test_equal_scores_are_ties():
    assert filled(AUROC(2), torch.full((6, 2), 0.5), torch.tensor([0, 1, 1, 0, 1, 1])) == 0.5


def test_mean_is_weighted_and_keeps_nan():
    mean = Mean()
    mean.update(torch.tensor(2.0), 3)
    mean.update(torch.tensor(8.0, dtype=torch.bfloat16), torch.tensor(1))
    assert mean.compute().item() == pytest.approx(3.5)
    mean.update(torch.tensor(torch.nan), 1)
    assert mean.compute().isnan()
