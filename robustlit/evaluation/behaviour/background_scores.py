"""Answers for images on other backgrounds, and the figures that are made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.data.collate import to_pixels
from robustlit.evaluation.base import Row
from robustlit.evaluation.behaviour.decided import Comparison, difference, figure
from robustlit.evaluation.passes.judging import Judgement, Predict
from robustlit.evaluation.records import Record

__all__ = ["GREY", "Replacing", "background_records", "background_rows", "on_background", "versions_for"]

GREY = 0.5  # of the pixel range
_PICTURES = 4


def versions_for(masks: bool) -> tuple[str, ...]:
    """Return the versions of every image; segmentation has nothing to find where the object is gone."""
    return ("swapped", "removed") if masks else ("swapped", "removed", "alone")


def on_background(images: Tensor, masks: Tensor, backgrounds: Tensor | float) -> Tensor:
    """Return the objects of images on other backgrounds.

    Args:
        images: N×C×H×W.
        masks: N×H×W, not 0 on the object.
        backgrounds: N×C×H×W, or one grey.

    Example:
        >>> on_background(torch.ones(1, 1, 1, 2), torch.tensor([[[1, 0]]]), 0.5).tolist()
        [[[[1.0, 0.5]]]]
    """
    return torch.where(masks[:, None] != 0, images, torch.as_tensor(backgrounds, dtype=images.dtype))


class Replacing:
    """What a model answers for images, and for their objects on other backgrounds.

    Args:
        adapter: How targets are read.
        background: For segmentation, the classes that are background. Several count as one: on another image's
            background they lie elsewhere, and grey is none of them.
    """

    def __init__(self, adapter: Adapter, background: Sequence[int] = (0,)) -> None:
        self.adapter, self.background = adapter, tuple(background)

    def __call__(self, predict: Predict, batch: Mapping[str, Any]) -> Judgement:
        """Return what was right (``right``, ``right/<version>``), and the same (``same/<version>``), by image.

        Images without an object, or without a background, have nothing in any sum: ``valid`` (bool N) is false.
        """
        images, masks = batch["image"], batch["object"]
        compared = Comparison(self.adapter, predict(images), batch["target"], self.background)
        found = {"right": compared.right(compared.before)}
        for version in versions_for(compared.masks):
            if version == "alone":
                changed = to_pixels(batch["behind"])
            else:
                changed = on_background(images, masks, to_pixels(batch["elsewhere"]) if version == "swapped" else GREY)
            decided = compared.decided(predict(changed))
            found[f"right/{version}"] = compared.right(decided)
            if not compared.masks:
                found[f"same/{version}"] = compared.same(decided)
        share = (masks != 0).flatten(1).float().mean(1)
        return {**found, "valid": (share > 0) & (share < 1)}


def background_rows(
    test: str, split: str, found: Judgement, conditions: Mapping[str, Any], ignore_index: int | None = None
) -> list[Row]:
    """Return the rows of one split.

    Args:
        test: Name of the test.
        split: Which split.
        found: What :class:`Replacing` found, of all images.
        conditions: The provenance.
        ignore_index: A class that is not scored.
    """
    valid = found["valid"]
    kept = {key: value[valid] for key, value in found.items()}
    n = int(valid.sum())
    if not n:
        return []
    clean, facts = kept["right"], {**conditions, "left_out_images": len(valid) - n}
    masks = clean.ndim > 1
    score = "iou" if masks else "accuracy"

    def row(metric: str, value: tuple[float, float, float], **more: Any) -> Row:
        return Row(test, split, metric, *value, n, {**facts, **more})

    rows = [row(score, figure(clean, ignore_index))]
    for version in versions_for(masks):
        changed = kept[f"right/{version}"]
        rows.append(row(version, figure(changed, ignore_index), score=score))
        if version != "alone":
            rows.append(row(f"gap/{version}", difference(clean, changed, ignore_index), score=score))
            if not masks:
                rows.append(row(f"changed/{version}", figure(1 - kept[f"same/{version}"])))
    return rows


def background_records(test: str, split: str, found: Judgement, samples: Any) -> list[Record]:
    """Return some images whose answer was right before their background was another."""
    if found["right"].ndim > 1:
        return []
    lost = (found["right"] == 1) & (found["right/swapped"] < 1) & found["valid"]
    records: list[Record] = []
    for number, place in enumerate(lost.nonzero().flatten().tolist()[:_PICTURES]):
        item = samples[list(samples.indices).index(int(found["index"][place]))]
        image, elsewhere = item["image"], item["elsewhere"].transpose(1, 2, 0)
        if image.dtype != np.uint8 or image.shape[2] not in (1, 3):
            return records
        swapped = np.where(item["object"][..., None] != 0, image, elsewhere)
        pair = np.concatenate((image, swapped), axis=1)
        data = {
            "image": np.repeat(pair, 3 // pair.shape[2], axis=2),
            "caption": "right on its own background, wrong on another",
        }
        records.append(Record(test, split, "picture", f"background {number + 1}", data))
    return records
