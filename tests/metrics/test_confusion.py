"""Segmentation scores against loops over pixels, hand-made matrices and torchmetrics."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex

from robustlit.metrics import SegmentationScores, class_iou, confusion_matrices, mean_iou


def maps(classes=5, ignore_index=255, images=4):
    targets = torch.randint(classes, (images, 9, 7))
    predictions = torch.where(torch.rand(targets.shape) < 0.6, targets, torch.randint(classes, targets.shape))
    targets[torch.rand(targets.shape) < 0.2] = ignore_index
    return predictions, targets


@pytest.mark.parametrize("ignore_index", [255, -1, 2])
def test_counts_equal_a_loop_over_pixels(ignore_index):
    predictions, targets = maps(ignore_index=ignore_index)
    expected = np.zeros((4, 5, 5), dtype=int)
    for (image, row, column), true in np.ndenumerate(targets.numpy()):
        if true != ignore_index:
            expected[image, true, predictions[image, row, column]] += 1
    assert confusion_matrices(predictions, targets, 5, ignore_index).tolist() == expected.tolist()


def test_iou_by_hand():
    confusion = torch.tensor([[4, 1, 0], [2, 3, 0], [0, 0, 0]])
    assert class_iou(confusion)[:2].tolist() == pytest.approx([4 / 7, 3 / 6])
    assert class_iou(confusion)[2].isnan()
    assert mean_iou(confusion).item() == pytest.approx((4 / 7 + 3 / 6) / 2)


def test_a_class_that_is_only_predicted_counts_as_zero():
    assert mean_iou(torch.tensor([[3, 1], [0, 0]])).item() == pytest.approx((3 / 4 + 0) / 2)


def test_an_ignored_class_is_not_scored():
    confusion = torch.tensor([[0, 0, 0], [2, 5, 0], [0, 1, 4]])  # class 0 ignored, yet predicted twice
    assert class_iou(confusion, ignore_index=0)[0].isnan()
    assert mean_iou(confusion, ignore_index=0).item() == pytest.approx((5 / 8 + 4 / 5) / 2)


@pytest.mark.parametrize("ignore_index", [255, 0])
def test_scores_over_batches_equal_torchmetrics(ignore_index):
    scores = SegmentationScores([str(index) for index in range(5)], ignore_index)
    reference = MulticlassJaccardIndex(5, ignore_index=ignore_index)
    hits = pixels = 0
    for _ in range(3):
        predictions, targets = maps(ignore_index=ignore_index)
        scores.update(predictions, targets)
        reference.update(predictions, targets)
        hits += ((predictions == targets) & (targets != ignore_index)).sum().item()
        pixels += (targets != ignore_index).sum().item()
    result = scores.compute()
    assert result["iou"].item() == pytest.approx(reference.compute().item())
    assert result["accuracy"].item() == pytest.approx(hits / pixels)
    assert ("iou/0" in result) == (ignore_index != 0)


def test_absent_classes_have_no_entry():
    scores = SegmentationScores(("a", "b", "absent"))
    scores.update(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]))
    assert set(scores.compute()) == {"accuracy", "iou", "iou/a", "iou/b"}
