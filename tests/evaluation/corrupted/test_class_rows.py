"""Scores of single classes under corruption: hand-made cells, and confusion matrices of real ones."""

import pytest
import torch

from robustlit.evaluation import CorruptionTest
from robustlit.evaluation.corrupted.class_rows import class_keys, class_rows
from robustlit.metrics.cells import CLEAN, CellScore
from robustlit.metrics.confusion import class_iou, confusion_matrices
from tests.evaluation.answer_sets import masks, segmenter, test_images
from tests.tiny import trainer


def score(*classes):
    return CellScore(0.5, 9, 0.4, 0.6, 0.1, classes)


def test_means_are_over_severities_and_corruptions():
    measured = {
        CLEAN: score(0.9, 0.8),
        ("fog", 1): score(0.6, None),
        ("fog", 2): score(0.4, 0.2),
        ("snow", 1): score(0.1, 0.4),
    }
    cells = [cell for cell in measured if cell != CLEAN]
    rows = class_rows("own", "iid", "iou", measured, cells, {"preset": "cifar"}, ["road", "sky"])
    found = {row.metric: row.value for row in rows}
    assert found == pytest.approx(
        {
            "class_iou/road": 0.3,
            "class_iou/road/fog": 0.5,
            "class_iou/road/snow": 0.1,
            "class_iou/sky": 0.3,
            "class_iou/sky/fog": 0.2,  # in one severity it was nowhere
            "class_iou/sky/snow": 0.4,
        }
    )
    assert set(class_keys("own", "iou", cells, ["road", "sky"])) == {f"own/{metric}" for metric in found}
    assert rows[1].conditions == {"preset": "cifar", "class": "road", "clean": 0.9, "under": "fog"}
    assert rows[0].n == 9


def test_without_classes_there_is_no_row():
    measured = {("fog", 1): CellScore(0.5, 9, 0.4, 0.6)}
    assert class_rows("own", "iid", "accuracy", measured, [("fog", 1)], {}, ["a", "b"]) == []
    assert class_keys("own", "accuracy", [("fog", 1)], ["a", "b"]) == []


def test_the_corruption_test_has_them_for_masks(tmp_path):
    data = masks(tmp_path)
    module = segmenter(data)

    def negative(images, severity, seeds):
        return 1 - images

    test = CorruptionTest([], own=[negative], severities=[1])
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    assert {f"own/{metric}" for metric in rows} <= set(test.expects(data))
    images, targets, _ = test_images(data, "iid")
    with torch.no_grad():
        predicted = module(1 - images).argmax(1)
    expected = class_iou(confusion_matrices(predicted, targets.long(), data.num_classes).sum(0))
    names = dict(zip(data.class_names, expected.tolist(), strict=True))
    assert len(names) == data.num_classes
    found = {name: rows[f"class_iou/{name}"].value for name in names if f"class_iou/{name}" in rows}
    assert found == pytest.approx({name: value for name, value in names.items() if value == value}, abs=1e-6)
