"""CorruptionError and CorruptionScores against torchmetrics, loops and the single-set metrics of this package."""

import copy
import math
import pickle

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torchmetrics.classification import MulticlassCalibrationError, MulticlassJaccardIndex, MultilabelAUROC
from torchmetrics.functional.segmentation import dice_score

from robustlit.metrics import AUROC, CLEAN, CalibrationError, CorruptionError, FlipProbability, wilson
from robustlit.metrics.corruption_scores import CorruptionScores

CELLS = [CLEAN, ("fog", 1), ("fog", 2.5), ("snow", 5)]
TASKS = ["classification", "multilabel", "segmentation", "binary_segmentation"]


def data(task, n=24, seed=0):
    """Logits and targets that agree more often than not."""
    generator = torch.Generator().manual_seed(seed)
    if task == "multilabel":
        targets = torch.randint(2, (n, 3), generator=generator)
        return torch.randn(n, 3, generator=generator) + 2 * targets, targets
    if task == "binary_segmentation":
        targets = torch.randint(2, (n, 1, 6, 5), generator=generator)
        return 2 * torch.randn(n, 1, 6, 5, generator=generator) + 2 * targets - 1, targets.float()
    shape = (n,) if task == "classification" else (n, 6, 5)
    targets = torch.randint(4, shape, generator=generator)
    noise = 2 * torch.randn(n, 4, *shape[1:], generator=generator)
    return noise + 2 * torch.nn.functional.one_hot(targets, 4).movedim(-1, 1), targets


def scores(task, **options):
    return CorruptionScores(CELLS, task, {"multilabel": 3, "binary_segmentation": None}.get(task, 4), **options)


def filled(metric, cell, logits, targets, size=7):
    for start in range(0, len(targets), size):
        metric.update(cell, logits[start : start + size], targets[start : start + size])
    return metric.compute()


def test_accuracy_its_interval_and_calibration():
    logits, targets = data("classification", 200)
    found = filled(scores("classification"), ("fog", 1), logits, targets)
    right = int((logits.argmax(1) == targets).sum())
    assert list(found) == [("fog", 1)]
    assert found["fog", 1][:4] == pytest.approx((right / 200, 200, *wilson(right, 200)))
    expected = MulticlassCalibrationError(4, n_bins=15)(logits.softmax(1), targets).item()
    assert found["fog", 1].calibration_error == pytest.approx(expected, abs=1e-6)


def test_auroc_and_its_calibration():
    logits, targets = data("multilabel", 300)
    found = filled(scores("multilabel"), ("snow", 5), logits, targets)["snow", 5]
    assert found.score == pytest.approx(MultilabelAUROC(3)(logits.sigmoid(), targets).item(), abs=1e-3)
    assert found.score == pytest.approx(AUROC(3)(logits.sigmoid(), targets).item(), abs=1e-7)
    assert found.calibration_error == pytest.approx(CalibrationError()(logits.sigmoid(), targets).item(), abs=1e-7)
    assert found.n == 300
    assert 0 < found.low < found.score < found.high < 1


@pytest.mark.parametrize("ignore_index", [None, 255, 2])
def test_iou_and_its_calibration(ignore_index):
    logits, targets = data("segmentation")
    if ignore_index is not None:
        targets[:, :2] = ignore_index
        targets[3] = ignore_index  # an image without a pixel that counts
    found = filled(scores("segmentation", ignore_index=ignore_index), CLEAN, logits, targets)[CLEAN]
    reference = MulticlassJaccardIndex(4, ignore_index=ignore_index)
    assert found.score == pytest.approx(reference(logits.argmax(1), targets).item(), abs=1e-6)
    assert found.n == (24 if ignore_index is None else 23)
    own = CalibrationError(ignore_index=ignore_index)(logits.softmax(1), targets).item()
    assert found.calibration_error == pytest.approx(own, abs=1e-7)
    assert found.low < found.score < found.high


def test_dice():
    logits, targets = data("segmentation")
    found = filled(scores("segmentation", score="dice"), CLEAN, logits, targets)[CLEAN]
    predicted, true = logits.argmax(1).flatten()[None], targets.flatten()[None]
    expected = dice_score(predicted, true, 4, average="macro", input_format="index").item()
    assert found.score == pytest.approx(expected, abs=1e-6)


def test_a_binary_mask_is_two_classes():
    logits, targets = data("binary_segmentation")
    found = filled(scores("binary_segmentation"), CLEAN, logits, targets)[CLEAN]
    two = torch.cat((torch.zeros_like(logits), logits), 1)
    expected = MulticlassJaccardIndex(2)(two.argmax(1), targets[:, 0].long()).item()
    assert found.score == pytest.approx(expected, abs=1e-6)
    assert filled(scores("binary_segmentation"), CLEAN, logits, targets[:, 0].bool())[CLEAN] == found


@pytest.mark.parametrize("task", TASKS)
def test_what_only_fills_a_batch_never_counts(task):
    logits, targets = data(task)
    expected = filled(scores(task), ("fog", 1), logits, targets)
    metric, valid = scores(task), torch.tensor([True] * 24 + [False] * 5)
    metric.update(("fog", 1), torch.cat((logits, -logits[:5])), torch.cat((targets, targets[:5])), valid)
    metric.update(("fog", 1), logits[:5].fill_(torch.nan), targets[:5], torch.zeros(5).bool())
    assert metric.compute() == expected


@pytest.mark.parametrize("task", TASKS)
def test_figures_do_not_depend_on_order_batches_copies_or_precision(task):
    logits, targets = data(task)
    expected = filled(scores(task), ("fog", 1), logits, targets)
    order = torch.randperm(24)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = filled(scores(task), ("fog", 1), logits[order], targets[order], size=24)
    assert found["fog", 1][:4] == expected["fog", 1][:4]
    # PyTorch rounds a sigmoid by its place in the tensor
    assert found["fog", 1].calibration_error == pytest.approx(expected["fog", 1].calibration_error, abs=1e-7)
    metric = pickle.loads(pickle.dumps(copy.deepcopy(scores(task))))
    assert filled(metric, ("fog", 1), logits, targets) == expected
    metric.reset()
    assert filled(metric, ("fog", 1), logits, targets) == expected


@pytest.mark.parametrize("task", TASKS)
def test_cells_are_kept_apart(task):
    first, second = data(task), data(task, n=10, seed=1)
    metric = scores(task)
    for start in (0, 5):
        metric.update(("fog", 2.5), *(part[start : start + 5] for part in second))
        metric.update(("snow", 5.0), *(part[12 * start // 5 : 12 * start // 5 + 12] for part in first))
    found = metric.compute()
    assert list(found) == [("fog", 2.5), ("snow", 5)]
    assert found["snow", 5] == filled(scores(task), ("snow", 5), *first)["snow", 5]
    assert found["fog", 2.5] == filled(scores(task), ("fog", 2.5), *second)["fog", 2.5]


def test_class_probabilities_count_as_their_likeliest_class():
    logits, targets = data("classification")
    soft = torch.nn.functional.one_hot(targets, 4) * 0.9 + 0.025
    assert filled(scores("classification"), CLEAN, logits, soft) == filled(
        scores("classification"), CLEAN, logits, targets
    )


def test_nan_is_wrong_in_accuracy_and_seen_everywhere():
    for task in TASKS:
        logits, targets = data(task)
        metric = scores(task)
        metric.update(CLEAN, logits, targets)
        metric.update(("fog", 1), logits.index_fill(0, torch.tensor([0]), torch.nan), targets)
        clean, broken = metric.compute().values()
        assert math.isnan(broken.calibration_error)
        assert math.isfinite(clean.calibration_error)
        if task == "classification":
            right = (logits.argmax(1) == targets)[1:].sum().item()
            assert broken.score == pytest.approx(right / 24)
        else:
            assert math.isnan(broken.score)


def five(error, n=10):
    """A metric with the same error in each severity of fog, 0.1 in clean and 0.9 between two severities."""
    cells = [CLEAN, ("fog", 2.5), *(("fog", severity) for severity in (1, 2, 3, 4, 5))]
    metric = CorruptionError(cells, reference={"fog": 0.8}, reference_clean_error=0.3)
    for cell in cells:
        rate = {CLEAN: 0.1, ("fog", 2.5): 0.9}.get(cell, error)
        metric.update(cell, torch.arange(n) >= rate * n)
    return metric.compute()


def test_errors_their_means_and_ce():
    found = five(0.4)
    assert found.cells["fog", 3] == pytest.approx((0.4, 10, *wilson(4, 10)))
    assert found.cells["fog", 2.5].error == 0.9
    assert found.corruptions == pytest.approx({"fog": 0.4})
    assert found.ce == pytest.approx({"fog": 0.5})
    assert (found.mean, found.mean_ce) == pytest.approx((0.4, 0.5))
    assert found.mean_relative_ce == pytest.approx((0.4 - 0.1) / (0.8 - 0.3))


def test_errors_without_a_reference_have_no_ce():
    metric = CorruptionError(CELLS)
    metric.update(("fog", 1), torch.tensor([True, False, False]), torch.tensor([True, True, False]))
    found = metric.compute()
    assert found.cells["fog", 1][:2] == (0.5, 2)
    assert (found.ce, found.mean_ce, found.mean_relative_ce) == (None, None, None)


@pytest.mark.parametrize("metric", [CorruptionError(CELLS), scores("classification")])
def test_an_unknown_cell_is_an_error(metric):
    with pytest.raises(ValueError, match="got 'fogg 1'; try 'fog 1'"):
        metric.update(("fogg", 1), torch.zeros(2, 4), torch.zeros(2))


def test_settings_that_mean_nothing():
    with pytest.raises(ValueError, match="cells that differ"):
        CorruptionError([("fog", 3), ("fog", 3.0)])
    with pytest.raises(ValueError, match="try 'multilabel'"):
        CorruptionScores(CELLS, "multilable", 3)
    with pytest.raises(ValueError, match="number of classes for segmentation"):
        CorruptionScores(CELLS, "segmentation")
    with pytest.raises(ValueError, match="score of classification"):
        CorruptionScores(CELLS, "classification", score="dice")


def half(rank, size, path):
    """What one of two processes counts; the second leaves out a cell and has fewer images."""
    metrics = [scores(task) for task in TASKS]
    errors, flips = CorruptionError(CELLS), FlipProbability(["tilt"], frames=3)
    for metric in metrics:
        for cell in CELLS if size == 1 or rank == 0 else CELLS[:2]:
            logits, targets = data(metric.task)
            mine = slice(None) if size == 1 else slice(0, 17) if rank == 0 else slice(17, None)
            if size == 1 and cell not in CELLS[:2]:
                mine = slice(0, 17)
            metric.update(cell, logits[mine], targets[mine])
            if metric.task == "classification":
                errors.update(cell, logits[mine].argmax(1) == targets[mine])
                flips.update("tilt", targets[mine, None].repeat(1, 3) * torch.tensor([1, 2, 1]))
    if size > 1:
        dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=size)
    found = [metric.compute() for metric in (*metrics, errors, flips)]
    if size > 1:
        torch.save(found, f"{path}.{rank}")
        dist.destroy_process_group()
    return found


def test_two_processes_give_the_figures_of_one(tmp_path):
    mp.spawn(half, (2, str(tmp_path / "store")), nprocs=2)
    expected = half(0, 1, "")
    for rank in (0, 1):
        assert torch.load(tmp_path / f"store.{rank}", weights_only=False) == expected
