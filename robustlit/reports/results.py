"""``results.json``: what a run reached, and everything that a figure must not stand without."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from robustlit.evaluation.base import VALIDATION, Row
from robustlit.reports.files import write_json

__all__ = ["Chosen", "Results", "merged"]


@dataclass(frozen=True)
class Chosen:
    """How a checkpoint was chosen.

    Args:
        monitor: Key of the metric: "val/accuracy", "robust/corruption/extra_mean".
        score: The best value.
        epoch: The epoch it is of, the first being 0.
    """

    monitor: str
    score: float | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class Results:
    """The content of ``results.json``.

    Args:
        names: What was trained on what: experiment, data, model, task, augmentation.
        seed: The run's seed.
        epochs: Number of finished epochs.
        steps: Number of optimizer steps.
        seconds: Wall-clock time of the training in all sessions, without the work that a kill threw away.
        headline: Key of the metric that stands for the run: "val/accuracy".
        selected_on: What chose each checkpoint but the last, on the validation split: figures of a chosen checkpoint on
            that split are not independent of the choice.
        tests: The rows of every test, by checkpoint: "last", "best_clean", "best_robust".
        validation: The last validation metrics, by key.
        bad_images: Files that could not be read and were left out.
        versions: Packages and machine.
        published: What the experiment's paper reached, by ``<test>/<metric>``: ``value``, ``source``, ``conditions``.

    Example:
        >>> Results.from_json(Results(names={"data": "shapes"}, seed=3).to_json()).seed
        3
    """

    names: dict[str, str | None]
    seed: int
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0
    headline: str = ""
    selected_on: dict[str, Chosen] = field(default_factory=dict)
    tests: dict[str, list[Row]] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    bad_images: list[str] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)
    published: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def overlap(self) -> list[str]:
        """The splits whose images selected the checkpoint tested on them: those figures are not independent."""
        tested = {row.split for name in self.selected_on for row in self.tests.get(name, ())}
        return [VALIDATION] if VALIDATION in tested else []

    def to_json(self) -> dict[str, Any]:
        """Return plain containers for JSON."""
        return {**asdict(self), "overlap": self.overlap}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Results":
        """Rebuild from what :meth:`to_json` returned."""
        tests = {
            name: [Row(**{**row, "value": _number(row["value"])}) for row in rows]
            for name, rows in content.get("tests", {}).items()
        }
        validation = {key: _number(value) for key, value in content.get("validation", {}).items()}
        chosen = {name: Chosen(**one) for name, one in content.get("selected_on", {}).items()}
        facts = {key: value for key, value in content.items() if key != "overlap"}
        return cls(**{**facts, "tests": tests, "validation": validation, "selected_on": chosen})

    def write(self, path: Path) -> None:
        """Write the file in one step."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read the file.

        Raises:
            ValueError: If it is not a results file.
        """
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"expected the results of a run in {path}, got {error}; try training again") from error


def merged(earlier: Iterable[Row], new: Sequence[Row]) -> list[Row]:
    """Return the new rows after those earlier ones that are of another test or split."""
    replaced = {(row.test, row.split) for row in new}
    return [*(row for row in earlier if (row.test, row.split) not in replaced), *new]


def _number(value: float | None) -> float:
    """Undo what JSON did to a figure that is not a number."""
    return math.nan if value is None else value
