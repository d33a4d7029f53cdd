"""From the scores of a family's cells to rows: one a cell, one a corruption, and the family's means."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from robustlit.evaluation.base import Row
from robustlit.metrics.cells import CLEAN, Cell, CellScore, corruption_means, overall_mean
from robustlit.metrics.mce import mean_ce, mean_relative_ce
from robustlit.metrics.robustness_scores import mean_performance, relative_performance

__all__ = ["corruption_rows"]


def corruption_rows(
    family: str,
    split: str,
    score: str,
    measured: Mapping[Cell, CellScore],
    cells: Sequence[Cell],
    conditions: Mapping[str, Any],
    mce_refusal: str | None = "",
) -> list[Row]:
    """Return the rows of one family.

    ================================  ================================================================================
    metric                            meaning
    ================================  ================================================================================
    ``<score>``                       mean over severities, then corruptions (mPC)
    ``clean``                         the same score of the clean images
    ``relative``                      mPC over the clean score (rPC)
    ``mean_corruption_error``         1 - mPC, for rates of right answers: never called mCE
    ``calibration_error``             mean over cells
    ``mce``, ``relative_mce``         only where it is mCE
    ``<score>/<name>``                mean over the severities of one corruption
    ``<score>/<name>/<severity>``     one cell, with its 95 % interval
    ================================  ================================================================================

    Args:
        family: Name of the family, which is the rows' test.
        split: Which test split.
        score: What was measured: "accuracy", "auroc", "iou".
        measured: The scores, ``CLEAN`` among them.
        cells: The cells of the family.
        conditions: The provenance, put beside every row.
        mce_refusal: None where the figure is mCE; else the reason why it is not, which is put beside the error.
    """
    found = {cell: measured[cell] for cell in cells if cell in measured}
    scores = {cell: one.score for cell, one in found.items()}
    clean, n = measured[CLEAN], min(one.n for one in found.values())

    def row(metric: str, value: float, low: float | None = None, high: float | None = None, **more: Any) -> Row:
        return Row(family, split, metric, value, low, high, n, {**conditions, **more})

    mean = mean_performance(scores)
    rows = [
        row(score, mean),
        row("clean", clean.score, *_interval(clean)),
        row("relative", relative_performance(scores, clean.score)),
    ]
    if score == "accuracy":
        why: dict[str, Any] = {"not_mce": mce_refusal} if mce_refusal else {}
        rows.append(row("mean_corruption_error", 1 - mean, **why))
    rows.append(row("calibration_error", overall_mean({cell: one.calibration_error for cell, one in found.items()})))
    if score == "accuracy" and mce_refusal is None:
        errors = {cell: 1 - value for cell, value in scores.items()}
        rows += [row("mce", mean_ce(errors)), row("relative_mce", mean_relative_ce(errors, 1 - clean.score))]
    for label, value in corruption_means(scores).items():
        rows.append(row(f"{score}/{label}", value, corruption=label))
    for (label, severity), one in found.items():
        name = f"{score}/{label}/{severity:g}"
        rows.append(row(name, one.score, *_interval(one), corruption=label, severity=severity))
    return [each for each in rows if not math.isnan(each.value)]


def _interval(one: CellScore) -> tuple[float, float]:
    return one.low, one.high
