"""mPC, rPC, resilience rate, CD and rCD by hand and against published tables."""

import math

import pytest

from robustlit.metrics import (
    CLEAN,
    corruption_degradation,
    mean_performance,
    relative_degradation,
    relative_performance,
    resilience_rate,
)

SCORES = {("fog", 1): 0.6, ("fog", 2): 0.4, ("gaussian_noise", 3): 0.4, ("gaussian_noise", 4): 0.2}
REFERENCE = {("fog", 1): 0.5, ("fog", 2): 0.3, ("gaussian_noise", 3): 0.2, ("gaussian_noise", 4): 0.0}
ELSE = {CLEAN: 0.0, ("fog", 1.5): 0.0}  # neither enters anything


@pytest.mark.parametrize("more", [{}, ELSE])
def test_mean_and_relative_performance(more):
    assert mean_performance(SCORES | more) == pytest.approx((0.5 + 0.3) / 2)
    assert relative_performance(SCORES | more, clean=0.8) == pytest.approx(0.5)
    assert resilience_rate(SCORES | more, clean=0.8) == pytest.approx({"fog": 0.625, "gaussian_noise": 0.375})


@pytest.mark.parametrize(
    ("clean", "corrupted", "percent"), [(80.5, 48.6, 60.4), (36.3, 18.2, 50.2), (36.4, 12.2, 33.4)]
)
def test_relative_performance_of_the_published_detectors(clean, corrupted, percent):
    # Michaelis et al. 2019, Faster R-CNN on Pascal-C, COCO-C and Cityscapes-C; printed figures are themselves rounded
    assert 100 * relative_performance({("all", 1): corrupted / 100}, clean / 100) == pytest.approx(percent, abs=0.2)


@pytest.mark.parametrize("more", [{}, ELSE])
def test_degradation(more):
    # fog: (0.4 + 0.6) / (0.5 + 0.7); noise: (0.6 + 0.8) / (0.8 + 1.0)
    expected = {"fog": 1 / 1.2, "gaussian_noise": 1.4 / 1.8}
    assert corruption_degradation(SCORES | more, REFERENCE) == pytest.approx(expected)


def test_strong_noise_can_be_left_out():
    # the authors' rule: noise counts up to severity 3, so 0.6 / 0.8; others are as before
    found = corruption_degradation(SCORES, REFERENCE, noise_severities=3)
    assert found == pytest.approx({"fog": 1 / 1.2, "gaussian_noise": 0.75})
    found = relative_degradation(SCORES, 0.8, REFERENCE, 0.7, noise_severities=3)
    assert found == pytest.approx({"fog": 0.6 / 0.6, "gaussian_noise": 0.4 / 0.5})


def test_relative_degradation():
    # fog: (0.2 + 0.4) / (0.2 + 0.4); noise: (0.4 + 0.6) / (0.5 + 0.7)
    found = relative_degradation(SCORES, 0.8, REFERENCE, 0.7)
    assert found == pytest.approx({"fog": 1.0, "gaussian_noise": 1 / 1.2})


def test_the_reference_beside_itself_is_one():
    assert set(corruption_degradation(REFERENCE, REFERENCE).values()) == {1.0}
    assert set(relative_degradation(REFERENCE, 0.7, REFERENCE, 0.7).values()) == {1.0}


def test_nothing_to_divide_by_is_nan():
    assert math.isnan(relative_performance(SCORES, clean=0.0))
    assert math.isnan(resilience_rate(SCORES, clean=0.0)["fog"])
    assert math.isnan(relative_degradation({("fog", 1): 0.4}, 0.5, {("fog", 1): 0.5}, 0.5)["fog"])


def test_a_cell_that_the_reference_lacks_is_an_error():
    with pytest.raises(ValueError, match="reference score of gaussian_noise 3"):
        corruption_degradation(SCORES, {("fog", 1): 0.5, ("fog", 2): 0.3})
