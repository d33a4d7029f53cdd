"""The test under attacks: PGD over eps, others, and the worst of them for every image."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.attacks import Attack
    from robustlit.data.base import VisionDataModule
    from robustlit.metrics.cells import Cell, CellScore

__all__ = ["AdversarialTest"]

_SCORE_OF = {"classification": "accuracy", "multilabel": "auroc", "segmentation": "iou"}
_WORST = "worst"


class AdversarialTest:
    """Attacks the test images: PGD (for masks SegPGD) at every eps of a ladder, and further attacks.

    Where several attacks share norm and eps, the worst of them is taken for every image (for masks, in the manner of
    SEA, so that the mean IoU is lowest). The score is accuracy, mean AUROC over labels, or mean IoU. All attacks are in
    float32, and their draws depend on the evaluation seed, the attack and the sample only.

    ================================  ================================================================================
    metric                            meaning
    ================================  ================================================================================
    ``clean``                         score of the same images as they are
    ``<attack>_<norm>_<eps>``         score under an attack: "pgd_linf_8of255"
    ``worst_<norm>_<eps>``            score under the worst attack of every image, of those with this norm and eps
    ================================  ================================================================================

    Every row has its 95 % interval, n, and as conditions attack, norm, eps, steps, restarts, loss, precision and seed.

    Args:
        eps: The ladder, or one step of it, in units of the pixel range [0, 1].
        norm: "linf", "l2" or "l1", of the ladder.
        steps: Steps of the ladder's attack; its worst iterate counts.
        restarts: Its restarts.
        attacks: Further attacks, or names to attacks. By default, at the ladder's largest eps: APGD with 100 steps on
            cross entropy and on the margin; for masks APGD on cross entropy and on the Jensen-Shannon divergence, and
            CosPGD. ``()`` for none.
        images: How many images of a split, chosen by a hash of their index; None for all.
        seed: Evaluation seed.
        precision: "32", or "trainer" for the Trainer's.
        batch_size: Images a forward; None for as many as the loader's batches have.

    Raises:
        TypeError: If something is not an attack.
        ValueError: For a norm or number out of range, or names that cannot be told apart.
    """

    name = "adversarial"

    def __init__(
        self,
        eps: Sequence[float] | float = (2 / 255, 4 / 255, 8 / 255),
        norm: str = "linf",
        steps: int = 50,
        restarts: int = 1,
        attacks: "Sequence[Attack] | Mapping[str, Attack] | None" = None,
        images: int | None = 1000,
        seed: int = 0,
        precision: str = "32",
        batch_size: int | None = None,
    ) -> None:
        from robustlit.attacks import PGD
        from robustlit.attacks.lengths import as_lengths
        from robustlit.evaluation.attacked.adversarial_names import named_attacks
        from robustlit.evaluation.attacked.attacking import check_precision
        from robustlit.evaluation.passes.selection import Selection

        lengths = as_lengths("eps", eps)
        if not lengths and not attacks:
            raise ValueError("expected some eps or attacks, got none; try eps=[4/255, 8/255]")
        ladder = [PGD(eps=each, norm=norm, steps=steps, restarts=restarts).eps for each in lengths]
        Selection(images)
        self.eps, self.norm, self.steps, self.restarts = tuple(ladder), norm, steps, restarts
        self.attacks = None if attacks is None else named_attacks(attacks) if attacks else {}
        self.images, self.seed, self.batch_size = images, seed, batch_size
        self.precision = check_precision(precision)
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured."""
        cells = self._cells(datamodule.task)
        named = [_metric(cell, attack) for cell, attack in cells.items()]
        worst = [_worst_metric(norm, cell[1]) for cell, norm in self._groups(cells)[1].items()]
        return [f"{self.name}/{metric}" for metric in ("clean", *named, *worst)]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split, and return one row an attack."""
        rows: list[Row] = []
        self.records = []
        splits = dict(datamodule.test_sets)
        try:
            for name, split in splits.items():
                datamodule.test_sets = {name: split}
                rows += self._run_split(name, module, datamodule, trainer)
        finally:
            datamodule.test_sets = splits
        return rows

    def _run_split(
        self, split: str, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer"
    ) -> list[Row]:
        from robustlit.evaluation.attacked.adversarial_names import attack_words
        from robustlit.evaluation.attacked.adversarial_pass import AdversarialPass
        from robustlit.evaluation.attacked.attacking import precision_words
        from robustlit.evaluation.passes.outcomes import Outcomes
        from robustlit.evaluation.passes.visiting import visit

        cells = self._cells(datamodule.task)
        groups, norms = self._groups(cells)
        names = {cell: _metric(cell, attack) for cell, attack in cells.items()}
        names |= {cell: _worst_metric(norm, cell[1]) for cell, norm in norms.items()}
        outcomes = Outcomes(names)
        shown = max(cells, key=lambda cell: cell[1])
        settings: dict[str, Any] = {"outcomes": outcomes, "shown": shown, "names": datamodule.class_names}
        visitor = AdversarialPass(cells, groups, self.seed, self.precision, **settings)
        visit(visitor, self.images, module, datamodule, trainer, self.batch_size)
        shared = {
            "score": _SCORE_OF[datamodule.task],
            "evaluation_seed": self.seed,
            "precision": precision_words(trainer, module, self.precision),
            "version": __version__,
        }
        found = visitor.scores
        self.records += outcomes.record(self.name, split, trainer)
        if visitor.picture is not None and shown in found:
            words = f"{attack_words(cells[shown])}: {100 * found[shown].score:.1f} % of {found[shown].n:,} images"
            self.records.append(
                Record(self.name, split, "picture", names[shown], {**visitor.picture, "caption": words})
            )
        return self._rows(split, found, cells, groups, norms, shared)

    def _rows(
        self,
        split: str,
        found: "Mapping[Cell, CellScore]",
        cells: "Mapping[Cell, Attack]",
        groups: "Mapping[Cell, Sequence[Cell]]",
        norms: "Mapping[Cell, str]",
        shared: Mapping[str, Any],
    ) -> list[Row]:
        from robustlit.evaluation.attacked.adversarial_names import attack_facts
        from robustlit.metrics.cells import CLEAN

        def row(metric: str, cell: "Cell", facts: Mapping[str, Any]) -> list[Row]:
            one = found.get(cell)
            if one is None:
                return []
            return [Row(self.name, split, metric, one.score, one.low, one.high, one.n, {**shared, **facts})]

        rows = row("clean", CLEAN, {"attack": "none"})
        for cell, attack in cells.items():
            rows += row(_metric(cell, attack), cell, attack_facts(attack))
        for cell, group in groups.items():
            facts: dict[str, Any] = {
                "attack": f"worst of {', '.join(name for name, _ in group)}",
                "norm": norms[cell],
                "eps": cell[1],
            }
            each = [attack_facts(cells[member]) for member in group]
            for fact in ("steps", "restarts", "loss"):
                facts[fact] = ", ".join(str(one.get(fact, "")) for one in each)
            rows += row(_worst_metric(norms[cell], cell[1]), cell, facts)
        return rows

    def _cells(self, task: str) -> "dict[Cell, Attack]":
        """The attacks for a task, by name and eps."""
        from robustlit.attacks import APGD, PGD, CosPGD, SegPGD
        from robustlit.evaluation.attacked.attack_tally import attack_cell
        from robustlit.evaluation.attacked.jensen_shannon import jensen_shannon

        masks = task == "segmentation"
        settings: dict[str, Any] = {"norm": self.norm, "steps": self.steps, "restarts": self.restarts, "best": True}
        ladder = [(SegPGD if masks else PGD)(eps=eps, **settings) for eps in self.eps]
        found = {attack_cell("seg_pgd" if masks else "pgd", attack): attack for attack in ladder}
        others = self.attacks
        if others is None:
            settings = {"eps": max(self.eps), "norm": self.norm}
            others = {}
            if self.norm in APGD.norms:
                others["apgd_ce"] = APGD(**settings)
                loss: Any = jensen_shannon if masks else "margin"
                others["apgd_js" if masks else "apgd_margin"] = APGD(**settings, loss=loss)
            if masks:
                others["cos_pgd"] = CosPGD(**settings, steps=self.steps, restarts=self.restarts, best=True)
        further = {attack_cell(name, attack): attack for name, attack in others.items()}
        twice = sorted(name for name, _ in found.keys() & further.keys())
        if twice:
            raise ValueError(
                f"expected other names than the ladder's, got {twice[0]!r}; try a mapping of names to attacks"
            )
        return found | further

    def _groups(self, cells: "Mapping[Cell, Attack]") -> "tuple[dict[Cell, list[Cell]], dict[Cell, str]]":
        """The attacks of equal norm and eps, where there are several, and the norm of each group."""
        from robustlit.attacks import BoundedAttack

        found: dict[tuple[str, float], list[Cell]] = {}
        for cell, attack in cells.items():
            if isinstance(attack, BoundedAttack) and not attack.targeted:
                found.setdefault((attack.norm, attack.eps), []).append(cell)
        several = {key: group for key, group in found.items() if len(group) > 1}
        groups: dict[Cell, list[Cell]] = {(f"{_WORST} {norm}", eps): group for (norm, eps), group in several.items()}
        return groups, {(f"{_WORST} {norm}", eps): norm for norm, eps in several}


def _metric(cell: "Cell", attack: "Attack") -> str:
    from robustlit.attacks import BoundedAttack
    from robustlit.evaluation.attacked.adversarial_names import eps_key

    bounded = isinstance(attack, BoundedAttack)
    return f"{cell[0]}_{attack.norm}_{eps_key(attack.eps)}" if bounded else cell[0]  # type: ignore[attr-defined]


def _worst_metric(norm: str, eps: float) -> str:
    from robustlit.evaluation.attacked.adversarial_names import eps_key

    return f"{_WORST}_{norm}_{eps_key(eps)}"
