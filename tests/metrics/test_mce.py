"""CE, mCE and relative CE against published cells, published severities and hand-made figures."""

import csv
import math

import pytest

from robustlit.corruptions import COMMON
from robustlit.metrics import (
    ALEXNET_CLEAN_ERROR,
    ALEXNET_ERRORS,
    CLEAN,
    corruption_error,
    corruption_means,
    mean_ce,
    mean_relative_ce,
    overall_mean,
    relative_ce,
    why_not_mce,
)
from tests.corruptions.golden import folder

SEVERITIES = (1, 2, 3, 4, 5)

# AlexNet's error at severities 1 to 5, as Hendrycks lists it (hendrycks/robustness, issue 10; it lacks JPEG)
PUBLISHED = {
    "gaussian_noise": (0.69528, 0.82542, 0.93554, 0.98138, 0.99452),
    "shot_noise": (0.71224, 0.85108, 0.93574, 0.98182, 0.99146),
    "impulse_noise": (0.78374, 0.89808, 0.9487, 0.9872, 0.99548),
    "defocus_blur": (0.65624, 0.73202, 0.85036, 0.91364, 0.94714),
    "glass_blur": (0.64308, 0.75054, 0.88806, 0.91622, 0.93344),
    "motion_blur": (0.5843, 0.70048, 0.82108, 0.8975, 0.92638),
    "zoom_blur": (0.70008, 0.76992, 0.80784, 0.84198, 0.87198),
    "snow": (0.71726, 0.88392, 0.86468, 0.9187, 0.94952),
    "frost": (0.6139, 0.79734, 0.8879, 0.89942, 0.9343),
    "fog": (0.67474, 0.7605, 0.84378, 0.8726, 0.945),
    "brightness": (0.4514, 0.48502, 0.54048, 0.62166, 0.7244),
    "contrast": (0.64548, 0.7615, 0.88874, 0.9776, 0.9927),
    "elastic_transform": (0.52596, 0.70116, 0.55686, 0.64076, 0.80554),
    "pixelate": (0.52218, 0.5462, 0.73728, 0.87092, 0.91262),
}


def published_cells(model):
    """The published errors of a model of RobustBench, by cell."""
    path = folder() / "robustbench_imagenet_c_accuracies.csv"
    if not path.is_file():
        pytest.skip(f"no published cells: {path.name} is not in $ROBUSTLIT_TEST_GOLDEN")
    with path.open() as stream:
        labels, severities, *rows = csv.reader(stream)
    (row,) = (row for row in rows if row[0] == model)
    return {
        (label, int(severity)): 1 - float(accuracy)
        for label, severity, accuracy in zip(labels[1:], severities[1:], row[1:], strict=True)
    }


@pytest.mark.parametrize(
    ("model", "expected"), [("AlexNet", 100.0), ("Standard_R50", 76.4), ("Hendrycks2020AugMix", 64.2)]
)
def test_mce_of_published_models(model, expected):
    errors = published_cells(model)
    assert len(errors) == 75
    assert round(100 * mean_ce(errors), 1) == expected


def test_published_cells_in_another_unit():
    errors = published_cells("Standard_R50")
    assert round(100 * overall_mean(errors), 1) == 60.5  # RobustBench's mean error of this model
    clean = {"Standard_R50": 0.2387, "AlexNet": ALEXNET_CLEAN_ERROR}  # torchvision's ResNet-50: 76.13 %
    # relative mCE of ResNet-50 in the ImageNet-C paper, appendix: 105.0; these cells are of 5,000 of the 50,000 images
    assert 100 * mean_relative_ce(errors, clean["Standard_R50"]) == pytest.approx(105.0, abs=1.0)
    assert 100 * mean_relative_ce(published_cells("AlexNet"), clean["AlexNet"]) == pytest.approx(100, abs=2.0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_alexnet_table_is_the_mean_of_the_published_severities(name):
    assert sum(PUBLISHED[name]) / 5 == pytest.approx(ALEXNET_ERRORS[name], abs=1e-6)


def test_alexnet_table_has_the_common_corruptions_and_torchvisions_clean_error():
    assert tuple(ALEXNET_ERRORS) == COMMON
    models = pytest.importorskip("torchvision.models")
    accuracy = models.AlexNet_Weights.IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert pytest.approx(1 - accuracy / 100, abs=1e-9) == ALEXNET_CLEAN_ERROR


def cells(**means):
    """Errors that rise by 0.01 a severity, with the given means."""
    return {(label, severity): mean + 0.01 * (severity - 3) for label, mean in means.items() for severity in SEVERITIES}


def test_ce_by_hand():
    errors, reference = cells(fog=0.3, snow=0.4), {"fog": 0.6, "snow": 0.5, "unused": 0.1}
    assert corruption_error(errors, reference) == pytest.approx({"fog": 0.5, "snow": 0.8})
    assert mean_ce(errors, reference) == pytest.approx(0.65)
    # (0.3 - 0.2) / (0.6 - 0.4) and (0.4 - 0.2) / (0.5 - 0.4)
    assert relative_ce(errors, 0.2, reference, 0.4) == pytest.approx({"fog": 0.5, "snow": 2.0})
    assert mean_relative_ce(errors, 0.2, reference, 0.4) == pytest.approx(1.25)


def test_clean_and_in_between_enter_no_mean():
    errors = cells(fog=0.3)
    more = errors | {CLEAN: 0.9, ("fog", 2.5): 0.9, ("snow", 1.5): 0.9}
    assert corruption_means(more) == corruption_means(errors) == pytest.approx({"fog": 0.3})
    assert overall_mean(more) == overall_mean(errors)
    assert corruption_error(more, {"fog": 0.6}) == pytest.approx({"fog": 0.5})


def test_corruptions_weigh_the_same_whatever_their_severities():
    assert overall_mean({("fog", 1): 0.0, ("fog", 2): 0.0, ("snow", 1): 1.0}) == 0.5
    assert math.isnan(overall_mean({CLEAN: 0.1}))


def test_a_missing_severity_or_reference_is_an_error():
    errors = cells(fog=0.3)
    with pytest.raises(ValueError, match="severities 1 to 5 of fog, got none for \\[4\\]"):
        mean_ce({cell: error for cell, error in errors.items() if cell[1] != 4})
    with pytest.raises(ValueError, match="expected a reference error of fog, got snow"):
        mean_ce(errors, {"snow": 0.5})


FACTS = {
    "dataset": "ImageNet",
    "num_classes": 1000,
    "preset": "imagenet",
    "size": (224, 224),
    "cells": [(name, severity) for name in COMMON for severity in SEVERITIES],
    "storage": "jpeg85",
    "reference_frost": True,
}


def test_only_the_published_protocol_is_mce():
    assert why_not_mce(**FACTS) is None


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"dataset": "cifar10"}, "not ImageNet"),
        ({"num_classes": 10}, "10 classes"),
        ({"preset": "tiny"}, "those of tiny"),
        ({"size": (224, 256)}, "224×256"),
        ({"cells": FACTS["cells"][1:]}, "1 of the 75"),
        ({"cells": [(name, 3) for name in COMMON]}, "60 of the 75"),
        ({"storage": None}, "JPEG"),
        ({"reference_frost": False}, "frost"),
    ],
)
def test_any_other_fact_is_a_reason(other, reason):
    assert reason in why_not_mce(**(FACTS | other))
