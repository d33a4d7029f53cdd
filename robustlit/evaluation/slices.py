"""The test of fairness to cameras, sites, countries and groups: a score for every slice, and the largest gap."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.behaviour.slice_visitor import SliceVisitor
    from robustlit.evaluation.records import Record
    from robustlit.metrics.cells import CellScore

__all__ = ["SlicesTest"]


class SlicesTest:
    """The score of every slice of the test images by the columns of a CSV table, and the largest gap.

    ================================  ================================================================================
    metric                            meaning
    ================================  ================================================================================
    ``<score>``                       of all images: accuracy, mean AUROC of labels, or mean IoU
    ``<score>/<column>/<value>``      of one slice, with n and its 95 % interval
    ``gap/<column>``                  best less worst slice, with a 95 % interval that is right for all pairs of slices
                                      at once, so for the pair picked as the largest: below 0 it may be chance
    ``worst/<column>``                score of the worst slice, which its conditions name
    ``gap``, ``worst``                the largest gap, the worst slice, over the columns
    ================================  ================================================================================

    Slices of fewer than ``min_n`` images are shown, and so is that of images without a value; neither is in a gap. A
    "/" within a value becomes "_" in the key. Records: the slices of each column.

    Args:
        path: A CSV file with a header: a column that names the image (its index, or its file's name or the end of its
            path), perhaps "split", and what to slice by.
        columns: The columns that slice; None for all others.
        key: The column that names the image; None for one called file, path, image, name, index or the like.
        bins: Edges of numeric columns: {"age": [40, 60]}.
        min_n: Images that a slice needs to be in a gap.
        images: How many images of a split, chosen by a hash of their index; None for all.

    Raises:
        ValueError: If the table or a column is missing, or an image is not in it.
    """

    name = "slices"

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str] | None = None,
        key: str | None = None,
        bins: Mapping[str, Sequence[float]] | None = None,
        min_n: int = 30,
        images: int | None = None,
    ) -> None:
        from robustlit.evaluation.passes.selection import Selection

        Selection(images)
        if min_n < 1:
            raise ValueError(f"expected min_n of at least 1, got {min_n}; try 30")
        self.path, self.columns, self.key, self.bins = path, columns, key, bins
        self.min_n, self.images = min_n, images
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; reads the table."""
        from robustlit.evaluation.behaviour.slice_table import in_order, values_of
        from robustlit.evaluation.corruptions import SCORE_OF

        table, score = self._table(), SCORE_OF[datamodule.task]
        keys = [score, "gap", "worst"]
        for split, samples in datamodule.test_sets.items():
            for column, values in values_of(table, split, samples).items():
                keys += [f"gap/{column}", f"worst/{column}"]
                keys += [_metric(score, column, value) for value in in_order(values.values())]
        return [f"{self.name}/{key}" for key in dict.fromkeys(keys)]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every slice of every split."""
        from robustlit.evaluation.behaviour.slice_table import values_of
        from robustlit.evaluation.behaviour.slice_visitor import SliceVisitor
        from robustlit.evaluation.corruptions import SCORE_OF
        from robustlit.evaluation.passes.visiting import SplitPass

        table = self._table()
        self.records = []
        rows: list[Row] = []
        look = SplitPass(module, datamodule, trainer, self.images)
        shared = {"table": table.path.name, "precision": str(trainer.precision), "version": __version__}
        for split, samples in datamodule.test_sets.items():
            visitor = SliceVisitor(values_of(table, split, samples))
            look.visit(visitor, split, samples)
            rows += self._rows(split, SCORE_OF[datamodule.task], visitor, shared)
        return rows

    def _table(self) -> Any:
        from robustlit.evaluation.behaviour.slice_table import read_slices

        return read_slices(self.path, self.columns, self.key, self.bins)

    def _rows(self, split: str, score: str, visitor: "SliceVisitor", shared: dict[str, Any]) -> list[Row]:
        """Return the rows of a split, and keep its slices."""
        if visitor.whole is None:
            return []
        whole, facts = visitor.whole, {**shared, "min_n": self.min_n}
        single: list[Row] = []
        gaps: list[Row] = []
        for column in visitor.values:
            own = {value: one for (of, value), one in visitor.scores.items() if of == column}
            single += [
                Row(self.name, split, _metric(score, column, value), one.score, one.low, one.high, one.n, each)
                for value, one in own.items()
                for each in [{**facts, "column": column, "slice": value, "in_gap": self._counts(value, one)}]
            ]
            gaps += self._gap(split, score, column, own, facts)
            self.records.append(_record(self.name, split, column, score, own))
        heads = [Row(self.name, split, score, whole.score, whole.low, whole.high, whole.n, facts)]
        for metric, pick in (("worst", min), ("gap", max)):
            of_columns = [row for row in gaps if row.metric.startswith(f"{metric}/")]
            if of_columns:
                one = pick(of_columns, key=lambda row: row.value)
                heads.append(Row(self.name, split, metric, one.value, one.low, one.high, one.n, one.conditions))
        return [row for row in [*heads, *gaps, *single] if not math.isnan(row.value)]

    def _gap(
        self, split: str, score: str, column: str, own: "Mapping[str, CellScore]", facts: dict[str, Any]
    ) -> list[Row]:
        from robustlit.metrics.difference import largest_gap

        counted = {value: one for value, one in own.items() if self._counts(value, one)}
        gap = largest_gap(counted, rates=score == "accuracy")
        if gap is None:
            return []
        worst = counted[gap.worst]
        named = {**facts, "column": column, "score": score, "best_slice": gap.best, "worst_slice": gap.worst}
        n = counted[gap.best].n + worst.n
        return [
            Row(self.name, split, f"worst/{column}", worst.score, worst.low, worst.high, worst.n, named),
            Row(self.name, split, f"gap/{column}", gap.value, gap.low, gap.high, n, {**named, "pairs": gap.pairs}),
        ]

    def _counts(self, value: str, one: "CellScore") -> bool:
        from robustlit.evaluation.behaviour.slice_table import NOTHING

        return one.n >= self.min_n and value != NOTHING and not math.isnan(one.score)


def _metric(score: str, column: str, value: str) -> str:
    return f"{score}/{column}/{value.replace('/', '_')}"


def _record(test: str, split: str, column: str, score: str, own: "Mapping[str, CellScore]") -> "Record":
    from robustlit.evaluation.records import Record

    shown = {value: one for value, one in own.items() if not math.isnan(one.score)}
    data: dict[str, Any] = {
        "name": list(shown),
        "n": [one.n for one in shown.values()],
        "value": [one.score for one in shown.values()],
        "low": [one.low for one in shown.values()],
        "high": [one.high for one in shown.values()],
        "column": column,
        "metric": score,
    }
    return Record(test, split, "slices", column, data)
