"""Answers for shifted images, and the figures that are made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.evaluation.base import Row
from robustlit.evaluation.behaviour.decided import Comparison, difference, figure
from robustlit.evaluation.behaviour.shifted import DIRECTIONS, shift_back, shifted
from robustlit.evaluation.passes.judging import Judgement, Predict
from robustlit.evaluation.records import Record

__all__ = ["Shifting", "shift_record", "shift_rows"]


class Shifting:
    """What a model answers for images and their shifts.

    Args:
        adapter: How targets are read.
        pixels: How far.
        border: What fills the rim, or "crop".
    """

    def __init__(self, adapter: Adapter, pixels: Sequence[int], border: str) -> None:
        self.adapter, self.pixels, self.border = adapter, tuple(pixels), border

    def __call__(self, predict: Predict, batch: Mapping[str, Any]) -> Judgement:
        """Return what was right (``right``, ``right/<pixels>``) and the same (``same/<pixels>``, ``same``), by image.

        Shares of the four directions for classes and labels, the sum of their confusion matrices for masks.
        """
        images, reach = batch["image"], max(self.pixels)
        compared = Comparison(self.adapter, predict(shifted(images, 0, 0, self.border, reach)), batch["target"])
        found = {"right": compared.right(compared.before)}
        always = torch.ones(len(images), device=images.device)
        for pixels in self.pixels:
            right: list[Tensor] = []
            same: list[Tensor] = []
            for down, side in ((pixels * down, pixels * side) for down, side in DIRECTIONS):
                decided = compared.decided(predict(shifted(images, down, side, self.border, reach)))
                if compared.masks:
                    decided = shift_back(decided, down, side)
                right.append(compared.right(decided))
                same.append(compared.same(decided))
            for key, parts in (("right", torch.stack(right)), ("same", torch.stack(same))):
                found[f"{key}/{pixels}"] = parts.sum(0) if compared.masks else parts.mean(0)
            if not compared.masks:
                always = always * torch.stack(same).amin(0)
        if compared.masks:
            return {**found, "same": torch.stack([found[f"same/{pixels}"] for pixels in self.pixels]).sum(0)}
        return {**found, "same": always}


def shift_rows(
    test: str,
    split: str,
    found: Judgement,
    pixels: Sequence[int],
    conditions: Mapping[str, Any],
    ignore_index: int | None = None,
) -> list[Row]:
    """Return the rows of one split.

    Args:
        test: Name of the test.
        split: Which split.
        found: What :class:`Shifting` found, of all images.
        pixels: How far.
        conditions: The provenance.
        ignore_index: A class that is not scored.
    """
    clean = found["right"]
    masks, n = clean.ndim > 1, len(clean)
    score = "iou" if masks else "accuracy"

    def row(metric: str, value: tuple[float, float, float], **facts: Any) -> Row:
        return Row(test, split, metric, *value, n, {**conditions, **facts})

    rows = [
        row(score, figure(clean, ignore_index)),
        row("consistency", figure(found["same"]), pixels=", ".join(map(str, pixels))),
    ]
    for each in pixels:
        moved = found[f"right/{each}"]
        rows += [
            row(f"{score}/{each}", figure(moved, ignore_index), pixels=each),
            row(f"gap/{each}", difference(clean, moved, ignore_index), pixels=each),
            row(f"consistency/{each}", figure(found[f"same/{each}"]), pixels=each),
        ]
    return rows


def shift_record(test: str, split: str, rows: Sequence[Row], pixels: Sequence[int]) -> Record:
    """Return the curve of consistency over pixels."""
    by_metric = {row.metric: row for row in rows}
    own = [by_metric[f"consistency/{each}"] for each in pixels]
    data = {
        "x": list(pixels),
        "y": [row.value for row in own],
        "low": [row.low for row in own],
        "high": [row.high for row in own],
        "x_label": "shift in pixels",
        "y_label": "consistency",
        "title": "Answers that stay under a shift",
    }
    return Record(test, split, "curve", "consistency", data)
