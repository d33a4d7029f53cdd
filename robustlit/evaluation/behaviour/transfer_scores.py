"""Scores of a model on images of mapped classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from robustlit.evaluation.base import OTHER, Row
from robustlit.evaluation.behaviour.class_mapping import ClassMapping
from robustlit.evaluation.passes.example_pictures import picture_of
from robustlit.evaluation.passes.judging import Judgement, Predict
from robustlit.evaluation.passes.part import Part, positions_where
from robustlit.evaluation.records import Record
from robustlit.metrics.calibration import calibration_error, confidence_gaps
from robustlit.metrics.interval import wilson

__all__ = ["Choosing", "mapped_part", "transfer_records", "transfer_rows"]

_WORST = 20  # classes in the record
_PICTURES = 4


class Choosing:
    """What a model says of images of mapped classes.

    Args:
        mapping: The classes.
        num_classes: K, how many the model has.
    """

    def __init__(self, mapping: ClassMapping, num_classes: int) -> None:
        self.num_classes = num_classes
        self.right = torch.zeros(len(mapping.names), num_classes, dtype=torch.bool)
        for number, places in enumerate(mapping.places):
            self.right[number, list(places)] = True
        self.kept = torch.tensor(range(num_classes) if mapping.kept is None else mapping.kept)

    def __call__(self, predict: Predict, batch: Mapping[str, Any]) -> Judgement:
        """Return ``right`` (bool N), ``confidence``, the ``predicted`` class of the model and the set's ``target``.

        Raises:
            ValueError: If the model has another number of classes.
        """
        logits, targets = predict(batch["image"]), batch["target"]
        if logits.shape[1] != self.num_classes:
            raise ValueError(
                f"expected logits of {self.num_classes} classes, as the data have, got {logits.shape[1]}; try "
                "data.class_names of the model"
            )
        kept = self.kept.to(logits.device)
        probabilities = logits[:, kept].softmax(1)
        confidence, place = probabilities.max(1)
        predicted = kept[place]
        right = self.right.to(logits.device)[targets, predicted] & ~probabilities.isnan().any(1)
        return {"right": right, "confidence": confidence, "predicted": predicted, "target": targets}


def mapped_part(samples: Any, mapping: ClassMapping) -> tuple[Part, int]:
    """Return the images of mapped classes, and how many others there are."""
    wanted = np.array([bool(places) for places in mapping.places])
    positions = positions_where(samples, wanted)
    if not positions:
        from robustlit.data.errors import DataError

        raise DataError("expected images of classes that the model has, got none; try another mapping")
    return Part(samples, positions), len(samples) - len(positions)


def transfer_rows(test: str, found: Judgement, conditions: Mapping[str, Any]) -> list[Row]:
    """Return accuracy, its mean over classes, and the calibration error."""
    right, targets, n = found["right"], found["target"], len(found["right"])
    hits = int(right.sum())
    classes = [right[targets == each].float().mean().item() for each in sorted({*targets.tolist()})]
    pairs = torch.stack((found["confidence"], torch.zeros(n)), 1)
    gaps, _, broken = confidence_gaps(pairs, (~right).long())
    rows = [
        Row(test, OTHER, "accuracy", hits / n, *wilson(hits, n), n, dict(conditions)),
        Row(test, OTHER, "mean_class_accuracy", sum(classes) / len(classes), None, None, n, dict(conditions)),
    ]
    if not int(broken):
        error = float(calibration_error(gaps, torch.tensor(n)))
        rows.append(Row(test, OTHER, "calibration_error", error, None, None, n, dict(conditions)))
    return rows


def transfer_records(
    test: str, found: Judgement, samples: Any, mapping: ClassMapping, model_names: Sequence[str]
) -> list[Record]:
    """Return the classes that are recognised least, and the mistakes that the model is surest of."""
    right, targets = found["right"], found["target"]
    slices = []
    for each in sorted({*targets.tolist()}):
        own = right[targets == each]
        hits, n = int(own.sum()), len(own)
        slices.append((mapping.names[each], n, hits / n, *wilson(hits, n)))
    slices = sorted(slices, key=lambda entry: entry[2])[:_WORST]
    data: dict[str, Any] = {
        key: [entry[place] for entry in slices] for place, key in enumerate(("name", "n", "value", "low", "high"))
    }
    records = [Record(test, OTHER, "slices", "class", {**data, "column": "class", "metric": "accuracy"})]
    wrong = _surest(found["confidence"].masked_fill(right, -1))
    for number, place in enumerate(wrong):
        name = mapping.names[int(targets[place])]
        guess = int(found["predicted"][place])
        said = model_names[guess] if model_names else str(guess)
        caption = f"{name} taken for {said} ({float(found['confidence'][place]):.2f})"
        picture = picture_of(samples, int(found["index"][place]))
        records.append(Record(test, OTHER, "picture", f"mistake {number + 1}", {"image": picture, "caption": caption}))
    return records


def _surest(confidence: Tensor) -> list[int]:
    order: list[int] = confidence.argsort(descending=True, stable=True)[:_PICTURES].tolist()
    return [place for place in order if confidence[place] >= 0]
