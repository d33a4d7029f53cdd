"""Calibration from single answers: torchmetrics, the counting metric, simulation and hand-made cases."""

import pytest
import torch
from torchmetrics import functional as reference

from robustlit.metrics import CalibrationError
from robustlit.metrics.reliability import (
    adaptive_calibration_error,
    classwise_calibration_errors,
    expected_calibration_error,
    noise_floor,
    reliability,
)


def answers(seed: int = 0, n: int = 600, classes: int = 5):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, classes, generator=generator)
    targets = torch.multinomial((logits / 2).softmax(1), 1, generator=generator)[:, 0]
    return logits.softmax(1), targets


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bins", [10, 15])
def test_the_error_equals_torchmetrics_and_the_metric_that_counts(seed, bins):
    probabilities, targets = answers(seed)
    confidence, predicted = probabilities.max(1)
    found = expected_calibration_error(confidence, predicted == targets, bins)
    expected = reference.calibration_error(probabilities, targets, task="multiclass", num_classes=5, n_bins=bins)
    assert found == pytest.approx(float(expected), abs=1e-6)
    metric = CalibrationError(bins=bins)
    metric.update(probabilities, targets)
    assert found == pytest.approx(float(metric.compute()), abs=1e-6)


def test_every_class_has_the_error_of_a_binary_task():
    probabilities, targets = answers()
    found = classwise_calibration_errors(probabilities, targets)
    for label in range(5):
        expected = reference.calibration_error(
            probabilities[:, label], (targets == label).long(), task="binary", n_bins=15
        )
        assert float(found[label]) == pytest.approx(float(expected), abs=1e-6)
    labels = torch.nn.functional.one_hot(targets, 5)
    assert torch.equal(classwise_calibration_errors(probabilities, labels), found)


def test_the_adaptive_error_sees_what_cancels_in_one_bin():
    confidence = torch.tensor([0.96, 0.96, 0.98, 0.98])
    hits = torch.tensor([True, True, True, False])
    both = abs(0.97 - 0.75)
    assert expected_calibration_error(confidence, hits) == pytest.approx(both, abs=1e-6)
    assert adaptive_calibration_error(confidence, hits, bins=2) == pytest.approx((0.04 + 0.48) / 2, abs=1e-6)


def test_the_adaptive_error_does_not_depend_on_the_order():
    probabilities, targets = answers(n=200)
    confidence, hits = (probabilities.amax(1) * 10).round() / 10, probabilities.argmax(1) == targets
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    assert adaptive_calibration_error(confidence, hits) == adaptive_calibration_error(confidence[order], hits[order])


def test_empty_bins_are_not_numbers():
    found = reliability(torch.tensor([0.9]), torch.tensor([True]), bins=10)
    assert found.count.tolist() == [0] * 9 + [1]
    assert found.confidence.isnan().sum() == 9
    assert float(found.confidence[9]) == pytest.approx(0.9)


def test_the_floor_is_what_true_confidences_show():
    generator = torch.Generator().manual_seed(0)
    confidence = 0.5 + 0.5 * torch.rand(1500, generator=generator)
    errors = [
        expected_calibration_error(confidence, torch.rand(1500, generator=generator) < confidence) for _ in range(200)
    ]
    assert noise_floor(confidence) == pytest.approx(sum(errors) / 200, rel=0.06)
