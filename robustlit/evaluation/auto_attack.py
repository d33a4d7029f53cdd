"""The test by AutoAttack, as its authors' package runs it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["AutoAttackTest"]


class AutoAttackTest:
    """Accuracy under AutoAttack: the standard ensemble of APGD-CE, targeted APGD, targeted FAB and Square.

    Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks"
    (2020), through the package ``pyautoattack`` (``pip install robustlit[attacks]``). It tries min(9, K-1) wrong
    classes. With two or three classes the loss of its targeted APGD is not defined; ours, on the margin, takes its
    place. The global generators, which the package seeds, are as before afterwards.

    Images are worked on in blocks of ``batch_size``, in the order of their index, whatever the number of processes,
    which share the blocks out: the figures do not depend on it, and equal those of the package called on each block.

    ================================  ================================================================================
    metric                            meaning
    ================================  ================================================================================
    ``clean``                         accuracy on the same images as they are
    ``<norm>_<eps>``                  accuracy under all attacks, the worst for every image: "linf_8of255"
    ``after/<attack>``                accuracy that is left after the attacks up to this one
    ``broken_by/<attack>``            share of the images that this one was the first to break
    ================================  ================================================================================

    Every row has its 95 % interval, n, and as conditions norm, eps, steps, restarts, target classes, precision and
    seed. That Square, which sees no gradients, is the first to break more than 0.2 % is a warning in the conditions.

    Args:
        eps: Radius in units of the pixel range [0, 1].
        norm: "linf", "l2" or "l1".
        images: How many images of a split, chosen by a hash of their index; None for all.
        batch_size: Images in a block.
        seed: Of the attacks' draws.

    Raises:
        ValueError: For a norm or number out of range.
        ImportError: When it is used and ``pyautoattack`` is not installed.
    """

    name = "auto_attack"

    def __init__(
        self,
        eps: float = 8 / 255,
        norm: str = "linf",
        images: int | None = 1000,
        batch_size: int = 250,
        seed: int = 0,
    ) -> None:
        from robustlit.attacks import PGD
        from robustlit.evaluation.passes.selection import Selection

        eps = PGD(eps=eps, norm=norm).eps
        Selection(images)
        if batch_size < 1:
            raise ValueError(f"expected batch_size of at least 1, got {batch_size}; try 250")
        self.eps, self.norm, self.images, self.batch_size, self.seed = eps, norm, images, batch_size, seed
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured.

        Raises:
            ImportError: If the package is not installed.
            ValueError: If the task is not classification into at least two classes.
        """
        from robustlit.evaluation.attacked.auto_attack_run import attack_names, require_package

        require_package()
        if datamodule.task != "classification" or datamodule.num_classes < 2:
            raise ValueError(
                f"expected classification for AutoAttack, got {datamodule.task}; try evaluation=adversarial, whose "
                "worst case is an ensemble too"
            )
        names = attack_names(datamodule.num_classes)
        metrics = ["clean", self._headline, *(f"{kind}/{name}" for kind in ("after", "broken_by") for name in names)]
        return [f"{self.name}/{metric}" for metric in metrics]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split."""
        from robustlit.evaluation.attacked.auto_attack_run import AutoAttackVisitor
        from robustlit.evaluation.passes.visiting import visit

        rows: list[Row] = []
        self.records = []
        splits = dict(datamodule.test_sets)
        try:
            for name, split in splits.items():
                datamodule.test_sets = {name: split}
                visitor = AutoAttackVisitor(self.eps, self.norm, self.batch_size, self.seed)
                visit(visitor, self.images, module, datamodule, trainer)
                rows += self._rows(name, visitor.broken, visitor.facts)
                self.records += self._outcomes(name, visitor.ids, visitor.broken)
        finally:
            datamodule.test_sets = splits
        return rows

    @property
    def _headline(self) -> str:
        from robustlit.evaluation.attacked.adversarial_names import eps_key

        return f"{self.norm}_{eps_key(self.eps)}"

    def _outcomes(self, split: str, ids: Sequence[int], broken: Sequence[int]) -> list[Record]:
        import numpy as np

        from robustlit.evaluation.attacked.auto_attack_run import ROBUST, WRONG

        if not broken:
            return []
        index, first = np.unique(np.array(ids, np.int64), return_index=True)
        places = np.array(broken)[first]
        arrays = {"index": index, "clean": places != WRONG, self._headline: places == ROBUST}
        return [Record(self.name, split, "outcomes", "", arrays)]

    def _rows(self, split: str, broken: Sequence[int], facts: dict[str, Any]) -> list[Row]:
        """Turn "which attack broke which image" into rows."""
        from robustlit.evaluation.attacked.auto_attack_run import ROBUST, WRONG
        from robustlit.metrics.interval import wilson

        n, names = len(broken), facts["ensemble"]
        if not n:
            return []
        by_square = sum(place >= 0 and names[place] == "square" for place in broken)
        conditions: dict[str, Any] = {**facts, "ensemble": ", ".join(names), "evaluation_seed": self.seed}
        conditions["version"] = __version__
        if by_square > 0.002 * n:
            conditions["warning"] = f"Square was the first to break {by_square} images: gradients may be masked"

        def row(metric: str, test: Callable[[int], bool]) -> Row:
            count = sum(map(test, broken))
            return Row(self.name, split, metric, count / n, *wilson(count, n), n, conditions)

        rows = [
            row("clean", lambda place: place != WRONG),
            row(self._headline, lambda place: place == ROBUST),
        ]
        for last, name in enumerate(names):
            rows.append(row(f"after/{name}", lambda place, last=last: place == ROBUST or place > last))  # type: ignore[misc]
            rows.append(row(f"broken_by/{name}", lambda place, last=last: place == last))  # type: ignore[misc]
        return rows
