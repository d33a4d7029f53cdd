"""CalibrationTest against torchmetrics on logits computed by hand, for every task."""

import pytest
import torch
from torch.nn import functional as F
from torchmetrics import functional as reference

from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.evaluation import CalibrationTest
from robustlit.metrics.temperature import fit_temperature
from tests.evaluation.answer_sets import classes, classifier, labels, masks, segmenter, test_images
from tests.tiny import trainer


def keyed(rows):
    return {f"{row.test}/{row.metric}": row for row in rows}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return classes(tmp_path_factory.mktemp("arrays") / "set.npz")


@pytest.fixture(scope="module")
def found(data):
    test = CalibrationTest(["gaussian_noise", "fog"], severities=[3])
    return keyed(test.run(classifier(3), data, trainer([]))), test


def ece(logits, targets):
    return float(
        reference.calibration_error(logits.softmax(1), targets, task="multiclass", num_classes=logits.shape[1])
    )


def test_figures_are_those_of_the_logits(data, found):
    rows, _ = found
    images, targets, ids = test_images(data)
    module = classifier(3)
    with torch.no_grad():
        val = torch.stack([torch.from_numpy(data.val_set[place]["image"]) for place in range(len(data.val_set))])
        truth = torch.tensor([data.val_set[place]["target"] for place in range(len(data.val_set))])
        temperature = fit_temperature(module(val.permute(0, 3, 1, 2) / 255), truth)
        logits = module(images)
        fogged = module(corrupt(images, "fog", 3, seed=sample_seeds(0, ids)))
    assert temperature > 1.5
    assert rows["calibration_scaled/temperature"].value == pytest.approx(temperature, rel=1e-5)
    for after, each in (("", 1.0), ("_scaled", temperature)):
        own = {
            "calibration_error": reference.calibration_error(
                (logits / each).softmax(1), targets, task="multiclass", num_classes=3
            ),
            "nll": F.cross_entropy(logits / each, targets),
            "brier": ((logits / each).softmax(1) - F.one_hot(targets, 3)).square().sum(1).mean(),
        }
        for metric, value in own.items():
            assert rows[f"calibration{after}/{metric}"].value == pytest.approx(float(value), abs=1e-5)
        cell = rows[f"corrupted_calibration{after}/calibration_error/fog/3"]
        assert cell.value == pytest.approx(ece(fogged / each, targets), abs=1e-5)
        one, other = (
            rows[f"corrupted_calibration{after}/calibration_error/{name}"] for name in ("fog", "gaussian_noise")
        )
        assert rows[f"corrupted_calibration{after}/calibration_error"].value == pytest.approx(
            (one.value + other.value) / 2
        )
    assert rows["calibration_scaled/nll"].value < rows["calibration/nll"].value


def test_rows_say_what_they_stand_on_and_are_expected(data, found):
    rows, test = found
    assert set(rows) <= set(test.expects(data))
    row = rows["corrupted_calibration_scaled/calibration_error"]
    assert row.n == 20
    assert row.conditions["corruptions"] == "gaussian_noise, fog"
    assert (row.conditions["preset"], row.conditions["cells"]) == ("cifar", 2)
    assert (row.conditions["fitted_on"], row.conditions["fitted_n"]) == ("val", 20)
    assert 0 < rows["calibration/calibration_error"].conditions["noise_floor"] < 0.5
    assert rows["calibration/nll"].low < rows["calibration/nll"].value < rows["calibration/nll"].high
    assert "warning" not in row.conditions


def test_diagrams_are_kept_and_count_every_answer(found):
    _, test = found
    kinds = {record.name: record for record in test.records}
    assert list(kinds) == ["clean", "corrupted", "clean_scaled", "corrupted_scaled"]
    assert sum(kinds["clean"].data["count"]) == 20
    assert sum(kinds["corrupted_scaled"].data["count"]) == 40
    assert kinds["clean"].data["temperature"] == 1
    empty = kinds["clean"].data["count"].index(0)
    assert kinds["clean"].data["confidence"][empty] is None


def test_testing_on_the_images_of_the_fit_is_said(data):
    before = data.test_sets
    data.test_sets = {"val": data.val_set}
    try:
        rows = CalibrationTest([]).run(classifier(3), data, trainer([]))
    finally:
        data.test_sets = before
    assert {row.conditions["warning"] for row in rows} == {"the temperature was fitted on 20 of these images"}


def test_without_a_validation_split_nothing_is_fitted(tmp_path):
    data = classes(tmp_path / "set.npz")
    data.val_set = None
    test = CalibrationTest([])
    rows = keyed(test.run(classifier(3), data, trainer([])))
    assert set(rows) <= set(test.expects(data))
    assert {row.test for row in rows.values()} == {"calibration"}
    assert rows["calibration/nll"].conditions["fitted_on"] == "nothing: no validation split"


def test_labels_are_answers_of_their_own(tmp_path):
    data, module, test = labels(tmp_path / "set.npz"), classifier(3, multilabel=True), CalibrationTest([])
    rows = keyed(test.run(module, data, trainer([])))
    assert set(rows) == set(test.expects(data))
    images, targets, _ = test_images(data)
    with torch.no_grad():
        logits = module(images)
    probabilities = logits.sigmoid()
    assert rows["calibration/nll"].value == pytest.approx(
        float(F.binary_cross_entropy_with_logits(logits, targets)), abs=1e-5
    )
    assert rows["calibration/brier"].value == pytest.approx(float((probabilities - targets).square().mean()), abs=1e-5)
    each = [
        float(
            reference.calibration_error(
                probabilities[:, place].contiguous(), targets[:, place].long(), task="binary", n_bins=15
            )
        )
        for place in range(3)
    ]
    assert rows["calibration/classwise_calibration_error"].value == pytest.approx(sum(each) / 3, abs=1e-5)
    assert rows["calibration/classwise_calibration_error/b"].value == pytest.approx(each[1], abs=1e-5)
    assert (rows["calibration/nll"].n, rows["calibration/nll"].conditions["answers"]) == (40, 120)


def test_pixels_are_sampled_and_all_of_them_are_the_metric(tmp_path):
    data = masks(tmp_path)
    module = segmenter(data)
    test = CalibrationTest(["fog"], severities=[1], pixels=32 * 32)
    rows = keyed(test.run(module, data, trainer([])))
    assert set(rows) <= set(test.expects(data))
    images, targets, _ = test_images(data, "iid")
    with torch.no_grad():
        logits = module(images)
    flat = logits.permute(0, 2, 3, 1).flatten(0, 2)
    assert rows["calibration/calibration_error"].value == pytest.approx(ece(flat, targets.long().flatten()), abs=1e-5)
    few = keyed(CalibrationTest([], pixels=64).run(module, data, trainer([])))
    assert few["calibration/nll"].conditions["answers"] == 9 * 64
    assert few["calibration/nll"].value == pytest.approx(rows["calibration/nll"].value, rel=0.2)
    data.eval_batch_size = 5
    assert keyed(CalibrationTest([], pixels=64).run(module, data, trainer([])))[
        "calibration/nll"
    ].value == pytest.approx(few["calibration/nll"].value, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bins": 0}, "bins of at least 1, got 0"),
        ({"pixels": 0}, "pixels of at least 1, got 0"),
        ({"images": 0}, "at least one image"),
        ({"corruptions": ["fogg"]}, "try 'fog'"),
        ({"severities": [9]}, "severity from 1 to 5"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message) as error:
        CalibrationTest(**settings)
    assert "\n" not in str(error.value)
