"""ImageNet-O: images of none of the model's classes, told from the data's own by the model's confidence."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from robustlit.data.errors import DataError
from robustlit.evaluation.base import Row
from robustlit.evaluation.behaviour.class_mapping import ClassMapping
from robustlit.evaluation.passes.judging import Judgement, Predict, judge_images
from robustlit.evaluation.passes.part import Part, positions_where
from robustlit.metrics.ranking import area_under_roc, auroc_interval, average_precision, fpr_at_tpr

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["unknown_rows"]


def unknown_rows(
    test: str,
    samples: Any,
    mapping: ClassMapping,
    conditions: Mapping[str, Any],
    module: "LightningModule",
    datamodule: "VisionDataModule",
    trainer: "Trainer",
    images: int | None = None,
) -> list[Row]:
    """Return how well low confidence tells images of unknown classes from the data's own test images.

    As published: both are scored by the largest probability among the set's classes, and the data's own images are
    those of these classes. The unknown images are the positives.

    Args:
        test: Name of the test.
        samples: The unknown images.
        mapping: The set's classes.
        conditions: The provenance.
        module: The module.
        datamodule: Whose test splits are the known images.
        trainer: Moves the batches.
        images: How many images of each; None for all.

    Raises:
        DataError: If the data have no image of these classes.
    """
    known = {split: _of_classes(own, mapping, datamodule) for split, own in datamodule.test_sets.items()}
    known = {split: part for split, part in known.items() if part is not None}
    if not known:
        raise DataError(
            f"expected test images of the {len(mapping.kept or mapping.mapped)} classes of {conditions['set']} in the "
            "data, to tell its images from, got none; try data=imagenet_folder data.path=imagenet/val"
        )
    judge = _Confidence(mapping)
    unknown = judge_images(judge, samples, module, datamodule, trainer, images)["confidence"]
    rows: list[Row] = []
    for split, part in known.items():
        own = judge_images(judge, part, module, datamodule, trainer, images)["confidence"]
        scores = -torch.cat((unknown, own))
        positives = torch.arange(len(scores)) < len(unknown)
        facts = {
            **conditions,
            "score": "maximum probability",
            "known": f"{len(own)} images of {split}",
            "unknown": f"{len(unknown)} images",
        }
        area = area_under_roc(scores, positives)
        found = {
            "aupr": (average_precision(scores, positives), None, None),
            "auroc": (area, *auroc_interval(scores, positives)),
            "fpr95": (fpr_at_tpr(scores, positives), None, None),
        }
        rows += [
            Row(test, split, metric, value, low, high, len(scores), facts)
            for metric, (value, low, high) in found.items()
            if not math.isnan(value)
        ]
    return rows


class _Confidence:
    """The largest probability among the classes of a set."""

    def __init__(self, mapping: ClassMapping) -> None:
        self.kept = list(mapping.kept or mapping.mapped)

    def __call__(self, predict: Predict, batch: Mapping[str, Any]) -> Judgement:
        return {"confidence": predict(batch["image"])[:, self.kept].softmax(1).amax(1)}


def _of_classes(samples: Any, mapping: ClassMapping, datamodule: "VisionDataModule") -> Part | None:
    """Return the images of a split that are of the set's classes; None where there are none."""
    wanted = np.zeros(datamodule.num_classes, dtype=bool)
    wanted[list(mapping.kept or mapping.mapped)] = True
    positions = positions_where(samples, wanted)
    return Part(samples, positions) if positions else None
