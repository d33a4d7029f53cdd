"""The score of a task, and its calibration, in every cell."""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torchmetrics import Metric

from robustlit.core.adapter import TORCH_IGNORE, Task
from robustlit.core.logits import two_sided
from robustlit.core.names import unknown_name
from robustlit.metrics.auroc import areas, score_counts
from robustlit.metrics.calibration import calibration_error, confidence_gaps
from robustlit.metrics.cells import Cell, CellScore, check_cells, place_of
from robustlit.metrics.confusion import class_iou, confusion_matrices
from robustlit.metrics.interval import wilson
from robustlit.metrics.standard_errors import auroc_error, image_products, mean_overlap_error, normal_interval
from robustlit.metrics.targets import in_classes

__all__ = ["CorruptionScores", "Score"]

Score: TypeAlias = Literal["accuracy", "auroc", "iou", "dice"]

_SCORES: dict[str, tuple[Score, ...]] = {
    "classification": ("accuracy",),
    "multilabel": ("auroc",),
    "segmentation": ("iou", "dice"),
    "binary_segmentation": ("iou", "dice"),
}


class CorruptionScores(Metric):
    """Score and calibration error of every cell: accuracy, mean AUROC over labels, mean IoU or mean Dice over classes.

    Only integer counts are kept, so figures depend neither on the order nor on the batches or processes (but for the
    rounding of the probabilities): for every cell 3 numbers and the calibration bins; for classification 1 more, for
    multi-label tasks 2·K·bins, for segmentation 5·K².

    Intervals are 95 %: Wilson's for accuracy; over the drawing of images for IoU and Dice (delta method); for AUROC
    that of the mean of the labels' DeLong errors, which is on the wide side, as labels err in part independently.
    A NaN among the logits is a wrong answer in classification; any other figure of its cell is NaN.

    Args:
        cells: The cells to measure, ``(corruption, severity)``; ``CLEAN`` for the uncorrupted images.
        task: "classification", "multilabel", "segmentation" or "binary_segmentation".
        num_classes: K, classes or labels; needed by "multilabel" and "segmentation".
        score: "dice" rather than "iou" for the segmentation tasks.
        ignore_index: Targets of this value do not count; None for torch's -100. Pixels of any other value that is no
            class do not count either; :func:`~robustlit.metrics.targets.check_targets` says whether there are any.
        bins: Bins of the scores of a label, for AUROC.

    Raises:
        ValueError: If cells repeat, a task or score is unknown, or K is missing; in an update for another cell.

    Example:
        >>> metric = CorruptionScores([("fog", 1), ("fog", 2)], "classification")
        >>> logits, targets = torch.tensor([[4.0, 0.0], [4.0, 0.0]]), torch.tensor([0, 1])
        >>> metric.update(("fog", 1), logits, targets)
        >>> found = metric.compute()["fog", 1]
        >>> found.score, found.n, round(found.low, 3), round(found.high, 3), round(found.calibration_error, 3)
        (0.5, 2, 0.095, 0.905, 0.482)
    """

    full_state_update = False
    higher_is_better = True
    hits: Tensor
    images: Tensor
    gaps: Tensor
    answers: Tensor
    broken: Tensor
    curves: Tensor
    confusion: Tensor
    products: Tensor

    def __init__(
        self,
        cells: Sequence[Cell],
        task: Task,
        num_classes: int | None = None,
        *,
        score: Score | None = None,
        ignore_index: int | None = None,
        bins: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells = check_cells(cells)
        self.task = task
        self.score = _score_of(task, score)
        self.num_classes = _classes_of(task, num_classes)
        self.ignore_index = ignore_index
        self.bins = bins
        self._places = {cell: place for place, cell in enumerate(self.cells)}
        self._add_counts("images")
        self._add_counts("gaps", 15)
        self._add_counts("answers")
        self._add_counts("broken")
        if task == "classification":
            self._add_counts("hits")
        elif task == "multilabel":
            self._add_counts("curves", 2, self.num_classes, bins)
        else:
            self._add_counts("confusion", self.num_classes, self.num_classes)
            self._add_counts("products", 2 * self.num_classes, 2 * self.num_classes)

    def update(self, cell: Cell, logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> None:
        """Count a batch of one cell.

        Args:
            cell: The cell that its images belong to.
            logits: N×K, N×K×H×W, or N×1×H×W for a binary mask; one logit z stands for two classes, (0, z).
            targets: N (or class probabilities N×K) for classification, N×K of 0 and 1 for multi-label tasks, N×H×W or
                N×1×H×W for segmentation.
            valid: Bool N; False for what only fills the batch.
        """
        place = place_of(cell, self._places)
        logits = logits.detach().float()
        if self.task == "classification":
            probabilities, targets = two_sided(logits).softmax(1), targets.argmax(1) if targets.ndim == 2 else targets
        elif self.task == "multilabel":
            probabilities = logits.sigmoid()
        else:
            probabilities, targets = two_sided(logits).softmax(1), _maps(targets)
        counted = self._counted(targets, valid)
        gaps, answers, broken = confidence_gaps(probabilities, targets, self.gaps.shape[1], counted)
        self.gaps[place] += gaps
        self.answers[place] += answers
        self.broken[place] += broken
        if self.task == "classification":
            hit = (probabilities.argmax(1) == targets) & ~probabilities.isnan().any(1)
            self.hits[place] += (hit & counted).sum()
            self.images[place] += counted.sum()
        elif self.task == "multilabel":
            counts, _ = score_counts(probabilities, targets, self.bins, counted)
            self.curves[place] += counts
            self.images[place] += counted.any(1).sum()
        else:
            self._count_maps(place, probabilities, targets, counted)

    def compute(self) -> dict[Cell, CellScore]:
        """Return what was measured in the cells that have images, in the order of the cells."""
        error = calibration_error(self.gaps, self.answers).where(self.broken == 0, torch.nan)
        images, errors = self.images.tolist(), error.tolist()
        if self.task == "classification":
            hits = self.hits.tolist()
            found = [(right / n, *wilson(right, n)) if n else _NOTHING for right, n in zip(hits, images, strict=True)]
        elif self.task == "multilabel":
            found = self._areas()
        else:
            found = self._overlaps(images)
        rows = zip(self.cells, found, images, errors, self._classes(), strict=True)
        return {cell: CellScore(score, n, low, high, gap, each) for cell, (score, low, high), n, gap, each in rows if n}

    def _classes(self) -> list[tuple[float | None, ...]]:
        """Return the scores of the classes in every cell, where there are masks."""
        if self.task in ("classification", "multilabel"):
            return [()] * len(self.cells)
        each = class_iou(self.confusion.cpu(), self.ignore_index)
        scores = 2 * each / (1 + each) if self.score == "dice" else each
        return [tuple(None if math.isnan(value) else value for value in row) for row in scores.tolist()]

    def _add_counts(self, name: str, *shape: int) -> None:
        self.add_state(name, torch.zeros(len(self.cells), *shape, dtype=torch.int64), dist_reduce_fx="sum")

    def _counted(self, targets: Tensor, valid: Tensor | None) -> Tensor:
        """Return which targets count: bool of their shape."""
        if self.task in ("classification", "multilabel"):
            counted = targets != (TORCH_IGNORE if self.ignore_index is None else self.ignore_index)
        else:
            counted = in_classes(targets, self.num_classes, self.ignore_index)
        return counted if valid is None else counted & valid.view(-1, *[1] * (targets.ndim - 1))

    def _count_maps(self, place: int, probabilities: Tensor, targets: Tensor, counted: Tensor) -> None:
        predicted = probabilities.max(1).indices  # on a CPU several times as fast as argmax
        confusions = confusion_matrices(predicted, targets.where(counted, -1), self.num_classes)
        self.confusion[place] += confusions.sum(0)
        self.products[place] += image_products(confusions)
        self.images[place] += counted.flatten(1).any(1).sum()

    def _areas(self) -> list[tuple[float, float, float]]:
        means = areas(self.curves).nanmean(1).where(self.broken == 0, torch.nan).tolist()
        errors = auroc_error(self.curves).nanmean(1).tolist()
        return [(mean, *normal_interval(mean, error)) for mean, error in zip(means, errors, strict=True)]

    def _overlaps(self, images: list[int]) -> list[tuple[float, float, float]]:
        dice = self.score == "dice"
        confusions, products = self.confusion.cpu(), self.products.cpu()
        each = class_iou(confusions, self.ignore_index)
        means = (2 * each / (1 + each) if dice else each).nanmean(1)
        scores = means.where(self.broken.cpu() == 0, torch.nan).tolist()
        found = []
        for place, score in enumerate(scores):
            error = mean_overlap_error(confusions[place], products[place], images[place], self.ignore_index, dice=dice)
            found.append((score, *normal_interval(score, error)))
        return found


_NOTHING = (math.nan, math.nan, math.nan)


def _score_of(task: str, score: Score | None) -> Score:
    if task not in _SCORES:
        raise unknown_name("task", task, get_args(Task))
    if score is None:
        return _SCORES[task][0]
    if score not in _SCORES[task]:
        raise unknown_name(f"score of {task}", score, _SCORES[task])
    return score


def _classes_of(task: Task, num_classes: int | None) -> int:
    if task == "binary_segmentation":
        return 2
    if num_classes is None and task != "classification":
        raise ValueError(f"expected the number of classes for {task}, got None; try num_classes=…")
    return num_classes or 0


def _maps(targets: Tensor) -> Tensor:
    return (targets.squeeze(1) if targets.ndim == 4 else targets).long()
