"""``results.json``: what a run reached, and everything that a figure must not stand without."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from robustlit.evaluation.base import VALIDATION, Row
from robustlit.reports.files import write_json

__all__ = ["Results"]


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
        selected_on: Key and split that chose ``best_clean``; figures on that split are not independent of the choice.
        best_score: The figure that ``best_clean`` was selected by.
        best_epoch: The epoch it is of, the first being 0.
        tests: The rows of every test, by checkpoint: "last", "best_clean".
        validation: The last validation metrics, by key.
        bad_images: Files that could not be read and were left out.
        versions: Packages and machine.

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
    selected_on: str = ""
    best_score: float | None = None
    best_epoch: int | None = None
    tests: dict[str, list[Row]] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    bad_images: list[str] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)

    @property
    def overlap(self) -> list[str]:
        """The splits whose images selected the checkpoint tested on them: those figures are not independent."""
        tested = {row.split for row in self.tests.get("best_clean", ())}
        return [VALIDATION] if self.selected_on and VALIDATION in tested else []

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
        facts = {key: value for key, value in content.items() if key != "overlap"}
        return cls(**{**facts, "tests": tests, "validation": validation})

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


def _number(value: float | None) -> float:
    """Undo what JSON did to a figure that is not a number."""
    return math.nan if value is None else value
