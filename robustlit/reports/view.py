"""One checkpoint of a run, seen from one test split: the figures that sentences and charts are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from robustlit.evaluation.base import OTHER, PUBLISHED, Row
from robustlit.evaluation.records import Record
from robustlit.reports.corruption_blocks import CorruptionBlock, corruption_blocks
from robustlit.reports.loading import Run
from robustlit.reports.paired import Difference, paired_difference

__all__ = ["SCORES", "View", "eps_text"]

SCORES = ("accuracy", "auroc", "iou")  # what a score is called, by task
_ELSEWHERE = (PUBLISHED, OTHER)
_NAMES = {"auroc": "AUROC", "iou": "mean IoU"}


@dataclass(frozen=True)
class View:
    """What is known of one checkpoint.

    Args:
        run: The run.
        checkpoint: Whose weights.
        split: The test split that sentences are about.
    """

    run: Run
    checkpoint: str
    split: str

    @classmethod
    def of(cls, run: Run, checkpoint: str | None = None, split: str | None = None) -> "View":
        """Choose the checkpoint with the most tests, and the split with the most figures, unless they are given.

        Raises:
            ValueError: If there are no figures of them.
        """
        name = run.checkpoint(checkpoint)
        rows = run.results.tests[name]
        splits = list(dict.fromkeys(row.split for row in rows))
        if split is not None and split not in splits:
            raise ValueError(f"expected a split that was tested, got {split!r}; try {' or '.join(splits)}")
        own = [each for each in splits if each not in _ELSEWHERE] or splits
        most = max(own, key=lambda each: sum(row.split == each for row in rows))
        return cls(run, name, split or most)

    @property
    def rows(self) -> list[Row]:
        """Every figure of the checkpoint, on any split."""
        return self.run.results.tests[self.checkpoint]

    @cached_property
    def own(self) -> list[Row]:
        """The figures on the split."""
        return [row for row in self.rows if row.split == self.split]

    @property
    def records(self) -> list[Record]:
        """What tests kept beside the figures, on any split."""
        return self.run.records.get(self.checkpoint, [])

    def find(self, test: str, metric: str) -> Row | None:
        """Return a figure on the split, or on another data set."""
        places = (self.split, *_ELSEWHERE)
        found = [row for row in self.rows if (row.test, row.metric) == (test, metric) and row.split in places]
        return min(found, key=lambda row: places.index(row.split)) if found else None

    def of_test(self, test: str) -> list[Row]:
        """Return the figures of a test on the split."""
        return [row for row in self.own if row.test == test]

    @cached_property
    def blocks(self) -> list[CorruptionBlock]:
        """Corruption tests on the split, and on sets on disk."""
        return [
            block
            for block in corruption_blocks(self.run.results)
            if self.checkpoint in block.checkpoints and block.split in (self.split, PUBLISHED)
        ]

    @property
    def block(self) -> CorruptionBlock | None:
        """The largest block of corruptions that were made on the images of the split."""
        own = [block for block in self.blocks if block.split == self.split]
        return max(own, key=lambda block: len(block.cells), default=None)

    @cached_property
    def score(self) -> str:
        """What a score is: "accuracy"."""
        if self.block is not None:
            return self.block.score
        metrics = {row.metric for row in self.own}
        return next((name for name in SCORES if name in metrics), "accuracy")

    @property
    def score_words(self) -> str:
        """The same, as it is written in sentences."""
        return _NAMES.get(self.score, self.score)

    @cached_property
    def clean(self) -> Row | None:
        """The score on clean images of the split: of the whole split if there is one."""
        return self.find("clean", self.score) or next((row for row in self.own if row.metric == "clean"), None)

    def outcomes_of(self, test: str, split: str) -> dict[str, Any]:
        """Return which images of a split a test found right; empty where that is not known."""
        for record in self.records:
            if (record.kind, record.test, record.split) == ("outcomes", test, split):
                return record.data
        return {}

    def lost(self, test: str, split: str, cells: list[str]) -> Difference | None:
        """How much the mean over some cells lies below clean, on the same images; None where that is not known."""
        data = self.outcomes_of(test, split)
        if "clean" not in data or not cells or any(cell not in data for cell in cells):
            return None
        mean = np.mean([data[cell] for cell in cells], axis=0)
        return paired_difference(np.asarray(data["clean"], float), mean)

    def attacks(self) -> Iterator[Row]:
        """Figures under attacks, weakest eps first; of AutoAttack the whole ensemble's."""
        for row in sorted(self.own, key=lambda row: float(row.conditions.get("eps") or 0)):
            named = "attack" in row.conditions and row.conditions["attack"] != "none"
            if named and row.metric != "clean" and "/" not in row.metric:
                yield row

    @property
    def selected_on(self) -> str:
        """The key that chose the checkpoint; "" where nothing did."""
        chosen = self.run.results.selected_on.get(self.checkpoint)
        return "" if chosen is None else chosen.monitor

    @property
    def model(self) -> str:
        """What the model is called."""
        return str(self.run.results.names.get("model") or "model")

    @property
    def data(self) -> str:
        """What the data are called."""
        return str(self.run.results.names.get("data") or "data")


def eps_text(conditions: Mapping[str, Any]) -> str:
    """Write norm, eps and steps of an attack.

    Example:
        >>> eps_text({"norm": "linf", "eps": 8 / 255, "steps": 50})
        'Linf, eps 8/255, 50 steps'
    """
    norm = {"linf": "Linf", "l2": "L2", "l1": "L1"}.get(str(conditions.get("norm", "")), "")
    eps = conditions.get("eps")
    steps = eps * 255 if isinstance(eps, float | int) else 0.0
    whole = steps > 0.5 and abs(steps - round(steps)) < 0.02 and eps is not None and eps < 0.5
    words = [norm] if norm else []
    if eps is not None:
        words.append(f"eps {round(steps)}/255" if whole else f"eps {eps:.3g}")
    if conditions.get("steps"):
        words.append(f"{conditions['steps']} step{'' if str(conditions['steps']) == '1' else 's'}")
    return ", ".join(words)
