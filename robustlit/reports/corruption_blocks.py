"""The figures of corruption tests, put together as one table or picture shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from robustlit.evaluation.base import Row
from robustlit.reports.results import Results

__all__ = ["TITLES", "CorruptionBlock", "corruption_blocks", "is_corruption_test"]

TITLES = {"extra": "EXTRA", "common": "COMMON", "bar": "C-bar"}  # what the tests of published families are called

# what may differ between the families of one evaluation
_OF_A_ROW = ("corruption", "severity", "not_mce", "cells", "missing", "frost")


@dataclass
class CorruptionBlock:
    """The families that were measured together: on the same images, under the same conditions.

    Args:
        checkpoints: Whose weights; several where they are the same.
        split: Which test split.
        score: What was measured: "accuracy".
        clean: The clean score in [0, 1], where it was measured.
        conditions: The provenance.
        tests: The family's mean row, by test.
        cells: Scores by corruption and severity; severity 0 for conditions that have none.
        means: Mean score by corruption, where it was measured at several severities.
    """

    checkpoints: tuple[str, ...]
    split: str
    score: str
    clean: float | None
    conditions: dict[str, Any]
    tests: dict[str, Row] = field(default_factory=dict)
    cells: dict[str, dict[int | float, float]] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Images in every cell, or in the smallest."""
        return min(row.n for row in self.tests.values())

    @property
    def place(self) -> str:
        """The split, or the set on disk."""
        return str(self.conditions.get("set", self.split))

    @property
    def notes(self) -> list[str]:
        """What a mean lacks, a line a test."""
        lines = []
        for test, row in self.tests.items():
            have, _, of = str(row.conditions.get("cells", "")).partition(" of ")
            if have != of:
                missing = row.conditions.get("missing")
                lines.append(f"{test}: mean over {have} of {of} cells" + (f", without {missing}" if missing else ""))
        return lines


def is_corruption_test(rows: Iterable[Row]) -> bool:
    """Whether rows are of a corruption test, which has rows of single corruptions."""
    return any("corruption" in row.conditions for row in rows)


def corruption_blocks(results: Results) -> list[CorruptionBlock]:
    """Return what is to be shown together, in the order of the results."""
    blocks: dict[Any, CorruptionBlock] = {}
    for checkpoints, rows in _same_weights(results.tests):
        by_test: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            by_test.setdefault((row.test, row.split), []).append(row)
        for (test, split), own in by_test.items():
            if is_corruption_test(own):
                _add(blocks, checkpoints, test, split, own)
    return list(blocks.values())


def _same_weights(tests: Mapping[str, Sequence[Row]]) -> list[tuple[tuple[str, ...], Sequence[Row]]]:
    """Join checkpoints whose figures are the same, as those of the best and the last epoch may be."""
    found: list[tuple[tuple[str, ...], Sequence[Row]]] = []
    for name, rows in tests.items():
        same = next((place for place, (_, known) in enumerate(found) if known == rows), None)
        if same is None:
            found.append(((name,), rows))
        else:
            found[same] = ((*found[same][0], name), rows)
    return found


def _add(
    blocks: dict[Any, CorruptionBlock], checkpoints: tuple[str, ...], test: str, split: str, rows: list[Row]
) -> None:
    """Add the rows of a test to the block of its conditions."""
    one = next(row for row in rows if "corruption" in row.conditions)
    score = one.metric.partition("/")[0]
    mean = next((row for row in rows if row.metric == score), None)
    if mean is None:  # the score was not a number
        return
    clean = next((row.value for row in rows if row.metric == "clean"), None)
    shared = {key: value for key, value in mean.conditions.items() if key not in _OF_A_ROW}
    key = (checkpoints, split, score, clean, mean.n, repr(sorted(shared.items())))
    block = blocks.setdefault(key, CorruptionBlock(checkpoints, split, score, clean, shared))
    if "frost" in mean.conditions:
        block.conditions.setdefault("frost", mean.conditions["frost"])
    block.tests[test] = mean
    for row in rows:
        label = row.conditions.get("corruption")
        if label is not None and "severity" in row.conditions:
            block.cells.setdefault(label, {})[row.conditions["severity"]] = row.value
        elif label is not None:
            block.means[label] = row.value
