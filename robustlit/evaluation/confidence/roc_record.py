"""The ROC curve of scores, kept for a report."""

from typing import Any

import torch
from torch import Tensor

from robustlit.evaluation.records import Record
from robustlit.metrics.ranking import area_under_roc, roc_curve

__all__ = ["roc_record"]

_POINTS = 400  # of a curve that is kept: no screen shows more


def roc_record(test: str, split: str, name: str, scores: Tensor, positives: Tensor, title: str, **facts: Any) -> Record:
    """Return the curve of some scores, thinned where it has very many points.

    Args:
        test: Name of the rows' test.
        split: Which test split.
        name: Tells the test's curves apart.
        scores: Float N, higher for what is thought positive.
        positives: Bool N.
        title: What the curve shows.
        facts: What it must not be compared without.
    """
    false_rate, true_rate, _ = roc_curve(scores, positives)
    if len(false_rate) > _POINTS:
        kept = torch.linspace(0, len(false_rate) - 1, _POINTS).round().long()
        false_rate, true_rate = false_rate[kept], true_rate[kept]
    data: dict[str, Any] = {
        "x": false_rate.tolist(),
        "y": true_rate.tolist(),
        "x_label": "false positive rate",
        "y_label": "true positive rate",
        "title": title,
        "auroc": area_under_roc(scores, positives),
        "n": len(scores),
        **facts,
    }
    return Record(test, split, "curve", name, data)
