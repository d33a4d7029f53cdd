"""Calibration error, AUROC and mean against torchmetrics' unbinned ones and against loops."""

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
