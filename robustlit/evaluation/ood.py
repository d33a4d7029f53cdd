"""The test of whether a model knows what it does not know: foreign images told from familiar ones."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.splits import size_of

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer
    from torch import Tensor

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.passes.visiting import SplitPass
    from robustlit.evaluation.records import Record

__all__ = ["OODTest"]

_METRICS = ("auroc", "aupr_in", "aupr_out", "fpr95")


class OODTest:
    """How well three scores of the logits tell the images of a split from foreign ones.

    Scores are the highest softmax probability ("msp", Hendrycks and Gimpel 2017), the highest logit ("max_logit") and
    the negative free energy ("energy", Liu et al. 2020); familiar images are the positives. Foreign images are other
    data sets, and sets that need none: textures, uniform and gaussian noise, and the test images with their patches
    shuffled. Draws depend on the evaluation seed and the image only.

    ==============================  ==================================================================================
    metric                          meaning
    ==============================  ==================================================================================
    ``auroc``                       mean over the sets, by the first score: area under the ROC curve
    ``aupr_in``, ``aupr_out``       average precision with familiar, or foreign, images as the positives; both depend on
                                    how many there are of each
    ``fpr95``                       share of the foreign images accepted where 95 % of the familiar ones are
    ``<metric>/<score>``            the mean by another score
    ``<metric>/<score>/<set>``      of one set, with its 95 % interval: DeLong's, Boyd's and Wilson's
    ==============================  ==================================================================================

    The score of a mask is the mean over its pixels. Records: the ROC curve of every set by the first score.

    Args:
        against: Other data sets by name: a folder with image files, or a data module. Sizes and channels are made those
            of the model's images.
        generated: Which of "textures", "uniform", "gaussian", "patch_shuffle".
        scores: Which scores; the first is the headline.
        images: How many images of the split and of every set, chosen by a hash of their index; None for all.
        seed: Evaluation seed.

    Raises:
        ValueError: For an unknown score or set, one name twice, or nothing to tell apart.
    """

    name = "ood"

    def __init__(
        self,
        against: Mapping[str, Any] | None = None,
        generated: Sequence[str] = ("textures", "uniform", "gaussian", "patch_shuffle"),
        scores: Sequence[str] = ("msp", "max_logit", "energy"),
        images: int | None = 2000,
        seed: int = 0,
    ) -> None:
        from robustlit.core.names import lookup
        from robustlit.evaluation.confidence.generated_sets import GENERATED
        from robustlit.evaluation.passes.selection import Selection
        from robustlit.metrics.ood_scores import OOD_SCORES

        Selection(images)
        for each in generated:
            lookup("generated set", each, GENERATED)
        for each in scores:
            lookup("score", each, OOD_SCORES)
        self.against, self.generated, self.scores = dict(against or {}), tuple(generated), tuple(scores)
        self.images, self.seed = images, seed
        self.records: list[Record] = []
        sets = [*self.against, *self.generated]
        if not sets or not scores:
            raise ValueError(f"expected foreign images and scores, got {sets} and {[*scores]}; try leaving them out")
        for names in (sets, [*scores]):
            if len(set(names)) < len(names):
                raise ValueError(f"expected every name once, got {names}; try other names in against")

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; opens the other data sets."""
        from robustlit.evaluation.passes.foreign_images import open_images

        for split in list(datamodule.test_sets.values())[:1]:
            for data in self.against.values():
                open_images(data, datamodule, size_of(split))
        ends = ["", *(f"/{score}{of}" for score in self.scores for of in ("", *(f"/{each}" for each in self._sets)))]
        return [f"{self.name}/{metric}{end}" for metric in _METRICS for end in ends]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split against every set."""
        from robustlit.evaluation.confidence.ood_visitor import OWN, OODVisitor
        from robustlit.evaluation.passes.visiting import SplitPass

        self.records = []
        rows: list[Row] = []
        look = SplitPass(module, datamodule, trainer, self.images)
        foreign: dict[tuple[int, int], dict[str, Tensor]] = {}  # splits with images of one size share the other sets
        for split, samples in datamodule.test_sets.items():
            own, size = OODVisitor(datamodule.task, self.generated, self.seed), size_of(samples)
            look.visit(own, split, samples)
            if size not in foreign:
                foreign[size] = self._foreign(look, datamodule, size)
            if OWN in own.scores:
                shared = {
                    "size": f"{size[0]}×{size[1]}",
                    "evaluation_seed": self.seed,
                    "precision": str(trainer.precision),
                    "version": __version__,
                }
                rows += self._rows(split, own.scores[OWN], {**own.scores, **foreign[size]}, shared)
        return rows

    def _foreign(self, look: "SplitPass", datamodule: "VisionDataModule", size: tuple[int, int]) -> "dict[str, Tensor]":
        """Return the scores of the other sets, made this size."""
        from robustlit.evaluation.confidence.ood_visitor import OWN, OODVisitor
        from robustlit.evaluation.passes.foreign_images import open_images

        found: dict[str, Tensor] = {}
        for name, data in self.against.items():
            visitor = OODVisitor(datamodule.task, shape=(datamodule.channels, *size))
            look.visit(visitor, name, open_images(data, datamodule, size))
            if visitor.scores:
                found[name] = visitor.scores[OWN]
        return found

    @property
    def _sets(self) -> tuple[str, ...]:
        return (*self.against, *self.generated)

    def _rows(self, split: str, own: "Tensor", sets: "Mapping[str, Tensor]", shared: dict[str, Any]) -> list[Row]:
        """Return the rows of a split, and keep its curves."""
        from robustlit.metrics.ood_scores import OOD_SCORES

        columns = {score: [*OOD_SCORES].index(score) for score in self.scores}
        single: list[Row] = []
        for score, column in columns.items():
            for name in self._sets:
                if name in sets:
                    facts = {**shared, "score": score, "set": name}
                    single += self._compared(split, own[:, column], sets[name][:, column], facts)
        means: list[Row] = []
        for metric in _METRICS:
            for place, score in enumerate(self.scores):
                of_score = [row for row in single if row.metric.startswith(f"{metric}/{score}/")]
                if len(of_score) == len(self._sets):
                    mean = sum(row.value for row in of_score) / len(of_score)
                    facts = {**shared, "score": score, "sets": ", ".join(self._sets)}
                    n = min(row.n for row in of_score)
                    names = [metric, f"{metric}/{score}"] if place == 0 else [f"{metric}/{score}"]
                    means += [Row(self.name, split, each, mean, None, None, n, facts) for each in names]
        return [*means, *single]

    def _compared(self, split: str, own: "Tensor", foreign: "Tensor", facts: dict[str, Any]) -> list[Row]:
        """Return the rows of one score and set."""
        import torch

        from robustlit.evaluation.confidence.roc_record import roc_record
        from robustlit.metrics import ranking
        from robustlit.metrics.interval import wilson

        scores = torch.cat((own, foreign))
        familiar = torch.arange(len(scores)) < len(own)
        if bool(scores.isnan().any()):
            return []
        facts = {**facts, "familiar": len(own), "foreign": len(foreign)}
        precision_in = ranking.average_precision(scores, familiar)
        precision_out = ranking.average_precision(-scores, ~familiar)
        accepted = ranking.fpr_at_tpr(scores, familiar)
        area, end = ranking.area_under_roc(scores, familiar), f"{facts['score']}/{facts['set']}"
        if facts["score"] == self.scores[0]:
            title = f"familiar against {facts['set']}, by {facts['score']}"
            self.records.append(roc_record(self.name, split, f"roc_{facts['set']}", scores, familiar, title))
        found = {
            "auroc": (area, *ranking.auroc_interval(scores, familiar)),
            "aupr_in": (precision_in, *ranking.average_precision_interval(precision_in, len(own))),
            "aupr_out": (precision_out, *ranking.average_precision_interval(precision_out, len(foreign))),
            "fpr95": (accepted, *wilson(round(accepted * len(foreign)), len(foreign))),
        }
        return [
            Row(self.name, split, f"{metric}/{end}", value, low, high, len(scores), facts)
            for metric, (value, low, high) in found.items()
        ]
