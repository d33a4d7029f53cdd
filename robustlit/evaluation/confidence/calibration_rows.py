"""From judged answers to the rows and the reliability diagrams of the calibration test."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from robustlit.evaluation.base import Row
from robustlit.evaluation.passes.answers import Answers
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import Cell, corruption_means, overall_mean
from robustlit.metrics.proper_scores import Judged, judge, mean_with_error
from robustlit.metrics.reliability import (
    adaptive_calibration_error,
    classwise_calibration_errors,
    expected_calibration_error,
    noise_floor,
    reliability,
)
from robustlit.metrics.standard_errors import Z95

__all__ = ["cell_rows", "clean_rows", "reliability_record"]

WHOLE = ("calibration_error", "adaptive_calibration_error", "nll", "brier")  # of clean and of corrupted images


def clean_rows(
    test: str,
    split: str,
    answers: Answers,
    conditions: Mapping[str, Any],
    *,
    temperature: float = 1.0,
    bins: int = 15,
    labels: Sequence[str] = (),
    independent: bool = True,
) -> list[Row]:
    """Return the rows of clean images.

    Args:
        test: Name of the rows' test.
        split: Which test split.
        answers: The answers.
        conditions: The provenance, put beside every row.
        temperature: What the logits are divided by.
        bins: Bins of confidence.
        labels: Of a multi-label task, whose answers are K of an image in this order; else empty.
        independent: Whether the answers are, so that it is known how far chance alone would lead.
    """
    judged = judge(answers.logits, answers.targets, temperature)
    n = answers.n
    shared = {**conditions, "answers": len(answers), "bins": bins}
    floor = {"noise_floor": round(noise_floor(judged.confidence, bins), 6)} if independent else {}
    values = _values(judged, answers.images, bins)
    rows = [
        Row(test, split, metric, value, low, high, n, {**shared, **(floor if metric == WHOLE[0] else {})})
        for metric, (value, low, high) in values.items()
    ]
    rows += [
        Row(test, split, metric, value, None, None, n, shared)
        for metric, value in _classwise(answers, temperature, bins, labels)
    ]
    return [row for row in rows if not math.isnan(row.value)]


def cell_rows(
    test: str, split: str, judged: Mapping[Cell, Judged], images: Tensor, conditions: Mapping[str, Any], bins: int = 15
) -> list[Row]:
    """Return the rows of corrupted images: means over cells, and the calibration error of every corruption and cell.

    Args:
        test: Name of the rows' test.
        split: Which test split.
        judged: The answers of every cell.
        images: int64 M, the image that each answer is of.
        conditions: The provenance.
        bins: Bins of confidence.
    """
    n = len(torch.unique(images))
    shared = {**conditions, "answers": len(images), "bins": bins}
    values = {cell: _values(one, images, bins) for cell, one in judged.items()}
    rows = []
    for metric in WHOLE:
        mean = overall_mean({cell: found[metric][0] for cell, found in values.items()})
        rows.append(Row(test, split, metric, mean, None, None, n, shared))
    errors = {cell: found[WHOLE[0]][0] for cell, found in values.items()}
    named = corruption_means(errors) | {f"{label}/{severity:g}": value for (label, severity), value in errors.items()}
    rows += [
        Row(test, split, f"{WHOLE[0]}/{name}", value, None, None, n, {**shared, "cell": name})
        for name, value in named.items()
    ]
    return [row for row in rows if not math.isnan(row.value)]


def reliability_record(split: str, name: str, judged: Iterable[Judged], temperature: float, bins: int = 15) -> Record:
    """Return the reliability diagram of some answers, those of several cells taken together."""
    every = list(judged)
    confidence = torch.cat([one.confidence for one in every])
    hits = torch.cat([one.hits for one in every])
    found = reliability(confidence, hits, bins)
    data: dict[str, Any] = {
        "confidence": [None if math.isnan(value) else value for value in found.confidence.tolist()],
        "accuracy": [None if math.isnan(value) else value for value in found.accuracy.tolist()],
        "count": found.count.tolist(),
        "ece": expected_calibration_error(confidence, hits, bins),
        "temperature": temperature,
    }
    return Record("calibration", split, "reliability", name, data)


def _values(judged: Judged, images: Tensor, bins: int) -> dict[str, tuple[float, float | None, float | None]]:
    """Value and interval of every metric of ``WHOLE``."""
    if bool(judged.confidence.isnan().any()):
        return dict.fromkeys(WHOLE, (math.nan, None, None))
    found: dict[str, tuple[float, float | None, float | None]] = {
        WHOLE[0]: (expected_calibration_error(judged.confidence, judged.hits, bins), None, None),
        WHOLE[1]: (adaptive_calibration_error(judged.confidence, judged.hits, bins), None, None),
    }
    for metric, values in (("nll", judged.nll), ("brier", judged.brier)):
        mean, error = mean_with_error(values, images)
        found[metric] = (mean, *_interval(mean, error))
    return found


def _interval(mean: float, error: float) -> tuple[float | None, float | None]:
    return (None, None) if math.isnan(error) else (max(0.0, mean - Z95 * error), mean + Z95 * error)


def _classwise(answers: Answers, temperature: float, bins: int, labels: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The mean calibration error of the classes' own probabilities; of a multi-label task that of every label too."""
    probabilities = (answers.logits.float() / temperature).softmax(1)
    if not labels:
        errors = classwise_calibration_errors(probabilities, answers.targets, bins)
    else:
        of_label = [answers.labels == place for place in range(len(labels))]
        errors = torch.tensor(
            [expected_calibration_error(probabilities[own, 1], answers.targets[own], bins) for own in of_label]
        )
    yield "classwise_calibration_error", float(errors.nanmean())
    for label, error in zip(labels, errors.tolist(), strict=False):  # no labels: the mean alone
        yield f"classwise_calibration_error/{label}", error
