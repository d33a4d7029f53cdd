"""Targets that cannot be scored: an error before the first figure, and never a wrong one."""

import pytest
import torch

from robustlit.metrics import CorruptionScores, SegmentationScores, confusion_matrices
from robustlit.metrics.targets import check_targets

MAPS = torch.randint(3, (4, 6, 5), generator=torch.Generator().manual_seed(0))
MASKS = (MAPS == 1).long()
MAP_LOGITS, MASK_LOGITS = torch.zeros(4, 3, 6, 5), torch.zeros(4, 1, 6, 5)


def with_void(value, targets=MAPS):
    return targets.index_fill(2, torch.tensor([1]), value)


@pytest.mark.parametrize(
    ("logits", "targets", "task", "ignore_index", "message"),
    [
        (MAP_LOGITS, with_void(255), "segmentation", None, r"0…2, got 255; try Adapter\(ignore_index=255\)"),
        (MAP_LOGITS, with_void(-1), "segmentation", 255, r"got -1; try Adapter\(ignore_index=-1\)"),
        (MAP_LOGITS, with_void(-100), "segmentation", 255, r"got -100; try Adapter\(ignore_index=-100\)"),
        (MAP_LOGITS, MAPS * 50, "segmentation", None, r"got 50, 100; try numbering the classes from 0"),
        (MAP_LOGITS, MAPS[:, ::2], "segmentation", None, r"logits' height and width, got 4×3×6×5 with targets 4×3×5"),
        (MASK_LOGITS, MASKS * 255, "binary_segmentation", None, r"got 0 and 255; try dividing them by 255"),
        (MASK_LOGITS, MASKS[:, None] * 255.0, "binary_segmentation", None, r"try dividing them by 255"),
        (MASK_LOGITS, with_void(255, MASKS), "binary_segmentation", None, r"got 255; try Adapter\(ignore_index=255\)"),
        (torch.zeros(4, 2, 6, 5), MASKS * 255, "segmentation", None, r"try dividing them by 255"),
        (torch.zeros(4, 6, 5), MASKS, "binary_segmentation", None, r"expected logits N×K×H×W, got 4×6×5"),
        (torch.zeros(4, 10), torch.tensor([1, 2, 3, 10]), "classification", None, r"0…9, got 10"),
        (torch.zeros(4, 1), torch.tensor([0, 1, 2, 1]), "classification", None, r"0…1, got 2"),
        (torch.zeros(4), torch.tensor([0, 1, 0, 1]), "classification", None, r"expected logits N×K, got 4 with"),
        (torch.zeros(4, 10), torch.zeros(4, 1).long(), "multilabel", None, r"got 4×10 with targets 4×1.*squeeze\(1\)"),
        (torch.zeros(4, 10), torch.zeros(4, 1).long(), "classification", None, r"squeeze\(1\)"),
        (torch.zeros(3, 10), torch.zeros(4).long(), "classification", None, r"as many logits as targets"),
        (
            torch.zeros(2, 3),
            torch.tensor([[0, 1, -1], [1, 1, 0]]),
            "multilabel",
            None,
            r"got -1; try Adapter\(ignore_i",
        ),
    ],
)
def test_what_cannot_be_scored_is_an_error_of_one_line(logits, targets, task, ignore_index, message):
    with pytest.raises(ValueError, match=message) as error:
        check_targets(logits, targets, task, ignore_index)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("logits", "targets", "task", "ignore_index"),
    [
        (MAP_LOGITS, MAPS, "segmentation", None),
        (MAP_LOGITS, MAPS[:, None].byte(), "segmentation", None),
        (MAP_LOGITS, with_void(-100), "segmentation", None),
        (MAP_LOGITS, with_void(255), "segmentation", 255),
        (MASK_LOGITS, MASKS[:, None].float(), "binary_segmentation", None),
        (torch.zeros(4, 10), torch.tensor([1, 9, 0, -100]), "classification", None),
        (torch.zeros(4, 1), torch.tensor([0.0, 1.0, 0.0, 1.0]), "classification", None),
        (torch.zeros(4, 3), torch.rand(4, 3), "classification", None),
        (torch.zeros(2, 3), torch.tensor([[0, 1, -1], [1, 1, 0]]), "multilabel", -1),
        (torch.zeros(0, 3), torch.zeros(0).long(), "classification", None),
    ],
)
def test_what_can_be_scored_passes(logits, targets, task, ignore_index):
    check_targets(logits, targets, task, ignore_index)


@pytest.mark.parametrize("void", [255, -1, -100])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int16])
def test_pixels_of_no_class_count_nowhere(void, dtype):
    targets, predictions = with_void(void).to(dtype), MAPS.flip(0)
    known = torch.arange(5) != 1
    wanted = confusion_matrices(predictions[..., known], MAPS[..., known], 3)
    assert torch.equal(confusion_matrices(predictions, targets, 3), wanted)
    scores = SegmentationScores("abc")
    scores.update(predictions, targets)
    assert torch.equal(scores.confusion, wanted.sum(0))


@pytest.mark.parametrize("void", [255, -1, -100])
@pytest.mark.parametrize("task", ["segmentation", "binary_segmentation"])
def test_scores_without_pixels_of_no_class(void, task):
    targets, channels = (MAPS, 3) if task == "segmentation" else (MASKS, 1)
    logits = torch.randn(4, channels, 6, 5, generator=torch.Generator().manual_seed(1))
    known = torch.arange(5) != 1
    found, wanted = (CorruptionScores([("fog", 1)], task, 3) for _ in range(2))
    found.update(("fog", 1), logits, with_void(void, targets))
    wanted.update(("fog", 1), logits[..., known], targets[..., known])
    assert found.compute() == wanted.compute()


def test_unlabelled_samples_do_not_count():
    logits, targets = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]]), torch.tensor([0, 0, -100])
    scores = CorruptionScores([("fog", 1)], "classification")
    scores.update(("fog", 1), logits, targets)
    assert scores.compute()["fog", 1][:2] == (0.5, 2)


def test_one_logit_is_two_classes():
    logits, targets = torch.tensor([[3.0], [-1.0], [2.0], [-2.0]]), torch.tensor([1, 0, 0, 0])
    one, two = (CorruptionScores([("fog", 1)], "classification") for _ in range(2))
    one.update(("fog", 1), logits, targets)
    two.update(("fog", 1), torch.cat((torch.zeros(4, 1), logits), 1), targets)
    assert one.compute() == two.compute()
    assert one.compute()["fog", 1].score == 0.75
