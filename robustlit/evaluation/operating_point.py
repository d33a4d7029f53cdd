"""The test for screening: AUROC, and the sensitivity at a specificity that must be held."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import VALIDATION, Row

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.confidence.one_against_rest import Question
    from robustlit.evaluation.passes.visiting import SplitPass
    from robustlit.evaluation.records import Record

__all__ = ["OperatingPointTest"]

_MOST_CURVES = 50


class OperatingPointTest:
    """AUROC and sensitivity at fixed specificities: of two classes the second, of more each one against the rest.

    The threshold is the most sensitive that holds the specificity on the validation split, as it would be chosen before
    use; so the specificity on the test split is measured too, and will be a little off. Where the validation split
    cannot tell, it is chosen on the test split itself, and a warning says so.

    ====================================  ============================================================================
    metric                                meaning
    ====================================  ============================================================================
    ``auroc/<class>``                     exact, ties by half; 95 % interval of DeLong et al. (1988)
    ``sensitivity_at_0.95/<class>``       share of the positives at or above the threshold, with Wilson's interval
    ``specificity_at_0.95/<class>``       share of the negatives below it, which was to be 0.95
    ``auroc``, …                          means over classes; of a single class its figure
    ====================================  ============================================================================

    Conditions have the threshold as a probability, and where it was chosen; its own uncertainty is in no interval.
    Records: the ROC curve of every class, where there are at most 50.

    Args:
        specificities: In (0, 1).
        positive: Name or number of the only class that is asked for.
        images: How many images of a split, chosen by a hash of their index; None for all.

    Raises:
        ValueError: For a specificity out of range, an unknown class, or masks.
    """

    name = "operating_point"

    def __init__(
        self,
        specificities: Sequence[float] = (0.9, 0.95),
        positive: str | int | None = None,
        images: int | None = None,
    ) -> None:
        from robustlit.evaluation.passes.selection import Selection

        Selection(images)
        if not specificities or not all(0 < each < 1 for each in specificities):
            raise ValueError(f"expected specificities between 0 and 1, got {[*specificities]}; try [0.9, 0.95]")
        self.specificities = tuple(dict.fromkeys(specificities))
        self.positive, self.images = positive, images
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured."""
        ends = ["", *(f"/{name}" for name in self._classes(datamodule))]
        metrics = [f"{kind}_at_{each:g}" for each in self.specificities for kind in ("sensitivity", "specificity")]
        return [f"{self.name}/{metric}{end}" for metric in ("auroc", *metrics) for end in ends]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Choose the thresholds and measure every split."""
        from robustlit.evaluation.passes.overlap import overlap_warning
        from robustlit.evaluation.passes.visiting import SplitPass

        self.records = []
        look = SplitPass(module, datamodule, trainer, self.images)
        chosen_on: Mapping[str, Question] = {}
        if datamodule.val_set is not None:
            chosen_on = self._questions(look, VALIDATION, datamodule.val_set, datamodule)
        rows: list[Row] = []
        for split, samples in datamodule.test_sets.items():
            shared = {"precision": str(trainer.precision), "version": __version__}
            shared |= overlap_warning(samples, datamodule, "the threshold was chosen")
            found = self._questions(look, split, samples, datamodule)
            single = [row for name, own in found.items() for row in self._rows(split, name, own, chosen_on, shared)]
            rows += [*_means(self.name, split, single), *single]
            if len(found) <= _MOST_CURVES:
                self._keep_curves(split, found)
        return rows

    def _classes(self, datamodule: "VisionDataModule") -> dict[str, int]:
        from robustlit.evaluation.confidence.one_against_rest import questioned

        return questioned(datamodule.task, datamodule.num_classes, datamodule.class_names, self.positive)

    def _questions(
        self, look: "SplitPass", name: str, split: Any, datamodule: "VisionDataModule"
    ) -> "dict[str, Question]":
        from robustlit.evaluation.confidence.one_against_rest import questions
        from robustlit.evaluation.passes.answer_visitor import LogitVisitor

        visitor = LogitVisitor()
        look.visit(visitor, name, split)
        if not len(visitor.logits):
            return {}
        multilabel = datamodule.task == "multilabel"
        return questions(look.adapter, visitor.logits, visitor.targets, multilabel, self._classes(datamodule))

    def _rows(
        self, split: str, name: str, own: "Question", chosen_on: "Mapping[str, Question]", shared: dict[str, Any]
    ) -> list[Row]:
        """Return the rows of one class."""
        from robustlit.metrics.interval import wilson
        from robustlit.metrics.ranking import area_under_roc, auroc_interval, threshold_at_specificity

        if not own.is_open:
            return []
        scores, truth = own.scores, own.positives
        positives, negatives = int(truth.sum()), int((~truth).sum())
        facts = {**shared, "class": name, "positives": positives, "negatives": negatives}
        area, (low, high) = area_under_roc(scores, truth), auroc_interval(scores, truth)
        rows = [Row(self.name, split, f"auroc/{name}", area, low, high, len(scores), facts)]
        for wanted in self.specificities:
            source = chosen_on.get(name)
            from_val = source is not None and source.is_open
            by = source if source is not None and from_val else own
            threshold = threshold_at_specificity(by.scores, by.positives, wanted)
            at = {
                **facts,
                "specificity": wanted,
                "threshold": None if math.isinf(threshold) else 1 / (1 + math.exp(-threshold)),
                "chosen_on": VALIDATION if from_val else split,
                "chosen_n": len(by.scores),
            }
            if not from_val:
                at["warning"] = "the threshold was chosen on these images, so the figure is too good"
            for kind, count, of in (
                ("sensitivity", int((scores[truth] >= threshold).sum()), positives),
                ("specificity", int((scores[~truth] < threshold).sum()), negatives),
            ):
                metric = f"{kind}_at_{wanted:g}/{name}"
                rows.append(Row(self.name, split, metric, count / of, *wilson(count, of), of, at))
        return rows

    def _keep_curves(self, split: str, found: "Mapping[str, Question]") -> None:
        from robustlit.evaluation.confidence.roc_record import roc_record

        self.records += [
            roc_record(self.name, split, f"roc_{name}", own.scores, own.positives, f"{name} against the rest")
            for name, own in found.items()
            if own.is_open
        ]


def _means(test: str, split: str, rows: Sequence[Row]) -> list[Row]:
    """Return the mean of every metric over classes; of a single class its row."""
    metrics = dict.fromkeys(row.metric.partition("/")[0] for row in rows)
    means = []
    for metric in metrics:
        own = [row for row in rows if row.metric.startswith(f"{metric}/")]
        if len(own) == 1:
            one = own[0]
            means.append(Row(test, split, metric, one.value, one.low, one.high, one.n, one.conditions))
        else:
            alone = ("class", "threshold", "positives", "negatives", "chosen_n")
            facts = {key: value for key, value in own[0].conditions.items() if key not in alone}
            mean = sum(row.value for row in own) / len(own)
            means.append(
                Row(test, split, metric, mean, None, None, min(row.n for row in own), facts | {"classes": len(own)})
            )
    return means
