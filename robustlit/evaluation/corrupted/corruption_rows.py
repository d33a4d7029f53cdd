"""From the scores of a family's cells to rows: one a cell, one a corruption, and the family's means."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from robustlit.evaluation.base import Row
from robustlit.families import KINDS, by_family
from robustlit.metrics.cells import CLEAN, Cell, CellScore, corruption_means, overall_mean
from robustlit.metrics.mce import mean_ce, mean_relative_ce
from robustlit.metrics.robustness_scores import mean_performance, relative_performance

__all__ = ["corruption_keys", "corruption_rows", "published_name"]


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
    ``clean``                         the same score of the clean images, where they were measured
    ``relative``                      mPC over the clean score (rPC), likewise
    ``mean_corruption_error``         1 - mPC, for rates of right answers: never called mCE
    ``mean_corruption_error/<kind>``  the same over the noise, blur, weather or digital corruptions alone, and over all
                                      but the noises (``without_noise``), where there are noises and others
    ``calibration_error``             mean over cells
    ``mce``, ``relative_mce``         only where it is mCE
    ``<score>/<name>``                mean over the severities of one corruption
    ``<score>/<name>/<severity>``     one cell, with its 95 % interval
    ================================  ================================================================================

    A condition without severities has the key ``<score>/<name>`` only, with its interval. Means have the n of the
    smallest cell; figures that are not numbers have no row.

    Args:
        family: Name of the family, which is the rows' test.
        split: Which test split.
        score: What was measured: "accuracy", "auroc", "iou".
        measured: The scores, ``CLEAN`` among them where it was measured.
        cells: The cells of the family; severity 0 for conditions without severities.
        conditions: The provenance, put beside every row.
        mce_refusal: None where the figure is mCE; else the reason why it is not, which is put beside the error.
    """
    found = {cell: measured[cell] for cell in cells if cell in measured}
    scores = {cell: one.score for cell, one in found.items()}
    clean, n = measured.get(CLEAN), min((one.n for one in found.values()), default=0)

    def row(metric: str, value: float, one: CellScore | None = None, **more: Any) -> Row:
        low, high, count = (None, None, n) if one is None else (one.low, one.high, one.n)
        return Row(family, split, metric, value, low, high, count, {**conditions, **more})

    mean = mean_performance(scores)
    rows = [row(score, mean)]
    if clean is not None:
        rows += [row("clean", clean.score, clean), row("relative", relative_performance(scores, clean.score))]
    if score == "accuracy":
        why: dict[str, Any] = {"not_mce": mce_refusal} if mce_refusal else {}
        rows.append(row("mean_corruption_error", 1 - mean, **why))
        rows += [row(metric, 1 - mean_performance(part), **why) for metric, part in _by_kind(scores).items()]
    rows.append(row("calibration_error", overall_mean({cell: one.calibration_error for cell, one in found.items()})))
    if score == "accuracy" and mce_refusal is None:
        rows += [row(metric, value) for metric, value in _mce(scores, clean).items()]
    plain = {label for label, severity in found if severity == 0}
    for label, value in corruption_means(scores).items():
        if label not in plain:
            rows.append(row(f"{score}/{label}", value, corruption=label))
    for (label, severity), one in found.items():
        name = _cell_metric(score, (label, severity))
        rows.append(row(name, one.score, one, corruption=label, severity=severity))
    return [each for each in rows if not math.isnan(each.value)]


def corruption_keys(family: str, score: str, cells: Sequence[Cell], *, clean: bool = True) -> list[str]:
    """Return the keys ``<test>/<metric>`` that the rows of a family can have; those of mCE are not certain.

    Args:
        family: Name of the family, which is the rows' test.
        score: What is measured.
        cells: The cells.
        clean: Whether the clean images are measured too.

    Example:
        >>> corruption_keys("own", "iou", [("fog", 1)])
        ['own/iou', 'own/calibration_error', 'own/clean', 'own/relative', 'own/iou/fog', 'own/iou/fog/1']
    """
    metrics = [score, "calibration_error", *(["clean", "relative"] if clean else [])]
    if score == "accuracy":
        metrics += [
            "mean_corruption_error",
            *_by_kind(dict.fromkeys(cells, 0.0)),
            "mce",
            *(["relative_mce"] if clean else []),
        ]
    metrics += [f"{score}/{label}" for label in dict.fromkeys(label for label, _ in cells)]
    metrics += [_cell_metric(score, cell) for cell in cells]
    return [f"{family}/{metric}" for metric in dict.fromkeys(metrics)]


def published_name(label: str) -> str:
    """Return the published name that a label stands for: that of frost says where its textures are from.

    Example:
        >>> published_name("frost_procedural"), published_name("fog")
        ('frost', 'fog')
    """
    return "frost" if label == "frost_procedural" else label


def _by_kind(scores: Mapping[Cell, float]) -> dict[str, dict[Cell, float]]:
    """Part cells by kind of corruption, under the metric of each part; empty where there is not a noise and another."""
    kinds = {kind: names for kind, names in by_family(label for label, _ in scores).items() if kind in KINDS}
    if "noise" not in kinds or len(kinds) == 1:
        return {}
    noises = set(kinds["noise"])
    labels = {label for label, _ in scores}
    parts = {**{kind: set(names) for kind, names in kinds.items()}, "without_noise": labels - noises}
    return {
        f"mean_corruption_error/{kind}": {cell: value for cell, value in scores.items() if cell[0] in names}
        for kind, names in parts.items()
    }


def _mce(scores: Mapping[Cell, float], clean: CellScore | None) -> dict[str, float]:
    errors = {cell: 1 - value for cell, value in scores.items()}
    relative = {} if clean is None else {"relative_mce": mean_relative_ce(errors, 1 - clean.score)}
    return {"mce": mean_ce(errors), **relative}


def _cell_metric(score: str, cell: Cell) -> str:
    return f"{score}/{cell[0]}/{cell[1]:g}" if cell[1] else f"{score}/{cell[0]}"
