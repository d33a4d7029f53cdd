"""OperatingPointTest: torchmetrics on logits computed by hand, thresholds of the validation split, and warnings."""

import pytest
import torch
from torchmetrics import functional as reference

from robustlit.core import Adapter
from robustlit.evaluation import OperatingPointTest
from robustlit.evaluation.confidence.one_against_rest import questioned, questions
from tests.evaluation.answer_sets import classes, classifier, labels, masks, test_images
from tests.tiny import trainer


def keyed(rows):
    return {row.metric: row for row in rows}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return classes(tmp_path_factory.mktemp("arrays") / "set.npz", count=120)


def logits_of(module, data, samples):
    images = torch.stack([torch.from_numpy(samples[place]["image"]) for place in range(len(samples))])
    truth = torch.tensor([samples[place]["target"] for place in range(len(samples))])
    with torch.no_grad():
        return module(images.permute(0, 3, 1, 2) / 255), truth


def test_every_class_against_the_rest(data):
    module, test = classifier(3), OperatingPointTest([0.8])
    rows = keyed(test.run(module, data, trainer([])))
    assert {f"operating_point/{metric}" for metric in rows} == set(test.expects(data))
    logits, truth = logits_of(module, data, data.test_sets["test"])
    val_logits, val_truth = logits_of(module, data, data.val_set)
    areas = []
    for place, name in enumerate(data.class_names):
        probability, own = logits.double().softmax(1)[:, place], truth == place
        areas.append(float(reference.auroc(probability, own.long(), task="binary")))
        assert rows[f"auroc/{name}"].value == pytest.approx(areas[-1], abs=1e-6)
        _, threshold = reference.classification.binary_sensitivity_at_specificity(
            val_logits.double().softmax(1)[:, place], (val_truth == place).long(), min_specificity=0.8
        )
        row = rows[f"sensitivity_at_0.8/{name}"]
        assert row.conditions["threshold"] == pytest.approx(float(threshold), abs=1e-6)
        called = probability >= row.conditions["threshold"] - 1e-9
        assert row.value == pytest.approx(float(called[own].double().mean()), abs=1e-6)
        assert rows[f"specificity_at_0.8/{name}"].value == pytest.approx(
            float((~called[~own]).double().mean()), abs=1e-6
        )
        assert (row.n, row.conditions["chosen_on"], row.conditions["chosen_n"]) == (int(own.sum()), "val", 60)
        assert row.low < row.value < row.high
        assert "warning" not in row.conditions
    assert rows["auroc"].value == pytest.approx(sum(areas) / 3, abs=1e-6)
    assert [record.kind for record in test.records] == ["curve"] * 3


def test_of_two_classes_it_is_the_second(tmp_path):
    data = classes(tmp_path / "set.npz", count=80, names=2, class_names=["benign", "malignant"])
    for module in (classifier(2), classifier(1)):
        rows = keyed(OperatingPointTest([0.9]).run(module, data, trainer([])))
        assert set(rows) == {
            f"{metric}{end}"
            for metric in ("auroc", "sensitivity_at_0.9", "specificity_at_0.9")
            for end in ("", "/malignant")
        }
        assert rows["auroc"].low is not None  # of a single class its own interval


def test_without_a_validation_split_the_figure_is_too_good_and_says_so(tmp_path):
    data = classes(tmp_path / "set.npz", count=80)
    data.val_set = None
    rows = OperatingPointTest([0.9]).run(classifier(3), data, trainer([]))
    chosen = [row for row in rows if row.metric.startswith("sensitivity")]
    assert all("too good" in row.conditions["warning"] for row in chosen)
    assert all(row.value >= 0.9 for row in rows if row.metric.startswith("specificity"))


def test_a_label_is_a_question_already(tmp_path):
    data, module = labels(tmp_path / "set.npz"), classifier(3, multilabel=True)
    rows = keyed(OperatingPointTest(positive="b").run(module, data, trainer([])))
    images, targets, _ = test_images(data)
    with torch.no_grad():
        expected = reference.auroc(module(images)[:, 1].sigmoid().double(), targets[:, 1].long(), task="binary")
    assert rows["auroc/b"].value == pytest.approx(float(expected), abs=1e-6)
    assert not any(metric.endswith(("/a", "/c")) for metric in rows)


def test_log_odds_do_not_round_to_one():
    logits = torch.tensor([[0.0, 60.0, 1.0], [0.0, 70.0, 1.0]])
    found = questions(Adapter(), logits, torch.tensor([1, 0]), False, {"x": 1})["x"]
    assert found.scores[0] < found.scores[1]
    assert found.positives.tolist() == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("segmentation", 3), "expected classification for an operating point"),
        (("classification", 2, ("a", "b"), "c"), "expected the name of a class, got 'c'"),
        (("classification", 2, ("a", "b"), 2), "expected positive in 0…1, got 2"),
    ],
)
def test_classes_that_are_not_there_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        questioned(*arguments)


@pytest.mark.parametrize("specificities", [[], [1.0], [0.5, -1]])
def test_specificities_lie_between(specificities):
    with pytest.raises(ValueError, match="between 0 and 1"):
        OperatingPointTest(specificities)


def test_masks_are_refused_before_the_work(tmp_path):
    with pytest.raises(ValueError, match="got segmentation"):
        OperatingPointTest().expects(masks(tmp_path))
