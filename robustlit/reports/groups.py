"""Runs that differ only in the seed, put together; and which of their figures were measured alike."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from robustlit.evaluation.base import Row
from robustlit.reports.view import View

__all__ = ["Agreed", "Group", "agree", "group_runs", "mean_and_spread"]

# what a test found, or says of what it found; everything else among the conditions of a figure it was measured under
_FOUND = (
    *("clean", "noise_floor", "temperature", "threshold", "best_slice", "worst_slice", "undecided"),
    *("not_mce", "warning"),
)
_OWN_N = ("shape_bias",)  # metrics whose n is a number of decisions, so another for every model
_SEEDS = ("seed", "hydra", "jobs", "sweep", "run_name", "resume")  # keys that change no figure but by chance


@dataclass
class Group:
    """Runs of one configuration.

    Args:
        label: What sets it apart from the others.
        views: One a run.
    """

    label: str
    views: list[View] = field(default_factory=list)

    @property
    def seeds(self) -> str:
        """The seeds, in words."""
        return ", ".join(map(str, sorted(view.run.results.seed for view in self.views)))


@dataclass(frozen=True)
class Agreed:
    """A figure of several runs that was measured alike.

    Args:
        key: (test, split, metric).
        rows: The rows, by the number of the run; those that were measured otherwise are left out.
        left_out: Why, by the number of the run.
    """

    key: tuple[str, str, str]
    rows: dict[int, Row]
    left_out: dict[int, str] = field(default_factory=dict)


def group_runs(views: Sequence[View]) -> list[Group]:
    """Put runs together that differ in the seed only, in the order in which they come."""
    groups: dict[str, Group] = {}
    labels = _labels(views)
    for view, label in zip(views, labels, strict=True):
        groups.setdefault(_identity(view), Group(label)).views.append(view)
    found = sorted(groups.values(), key=lambda group: group.label != "none")  # what nothing was done to comes first
    counts = Counter(group.label for group in found)
    for group in found:
        if counts[group.label] > 1:
            group.label = f"{group.label} ({group.views[0].run.name})"
    return found


def agree(views: Sequence[View], keys: Iterable[tuple[str, str, str]]) -> list[Agreed]:
    """Return the figures by key, each of the runs that measured it as most of them did.

    Args:
        views: The runs.
        keys: (test, split, metric).
    """
    found = []
    for key in keys:
        rows = {
            number: row
            for number, view in enumerate(views)
            for row in view.rows
            if (row.test, row.split, row.metric) == key and not math.isnan(row.value)
        }
        signatures = {number: _signature(views[number], row) for number, row in rows.items()}
        overlapping = {number for number in rows if _overlaps(views[number], key[1])}
        usual = Counter(tuple(each.items()) for number, each in signatures.items() if number not in overlapping)
        most = dict(usual.most_common(1)[0][0]) if usual else {}
        left_out = {
            number: f"its split {key[1]} chose its weights" if number in overlapping else _differences(each, most)
            for number, each in signatures.items()
            if number in overlapping or each != most
        }
        found.append(Agreed(key, {number: row for number, row in rows.items() if number not in left_out}, left_out))
    return found


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean, and the standard deviation of single runs (n - 1) where there are several.

    Example:
        >>> mean_and_spread([0.5]), mean_and_spread([0.25, 0.5, 0.75])
        ((0.5, None), (0.5, 0.25))
    """
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _signature(view: View, row: Row) -> dict[str, str]:
    facts = {key: row.conditions[key] for key in sorted(row.conditions) if key not in _FOUND}
    if row.metric not in _OWN_N:
        facts["n"] = row.n
    facts["data"] = view.data
    return {key: str(value) for key, value in facts.items()}


def _differences(one: dict[str, str], usual: dict[str, str]) -> str:
    keys = [key for key in {**usual, **one} if one.get(key) != usual.get(key)]
    return ", ".join(f"{key.replace('_', ' ')} {one.get(key, 'none')} and not {usual.get(key, 'none')}" for key in keys)


def _overlaps(view: View, split: str) -> bool:
    results = view.run.results
    return split in results.overlap and view.checkpoint in results.selected_on


def _identity(view: View) -> str:
    """All that a run was started with but its seed, as text."""
    config = {key: _seedless(value) for key, value in view.run.config.items() if key not in _SEEDS}
    names = {key: value for key, value in view.run.results.names.items() if key != "experiment"}
    return json.dumps([config or view.run.overrides, names, view.checkpoint], sort_keys=True, default=str)


def _seedless(node: Any) -> Any:
    """A configuration without the seeds that follow that of the run; evaluation seeds stand beside every figure."""
    if isinstance(node, dict):
        return {key: _seedless(value) for key, value in node.items() if key != "seed"}
    return [_seedless(each) for each in node] if isinstance(node, list) else node


def _labels(views: Sequence[View]) -> list[str]:
    """What sets runs apart, in the words that were typed; else in the names of what was trained on what."""
    settings = [
        {**{key: str(value) for key, value in view.run.results.names.items()}, **view.run.overrides} for view in views
    ]
    keys = [key for key in dict.fromkeys(key for each in settings for key in each) if key not in _SEEDS]
    differing = [key for key in keys if len({each.get(key) for each in settings}) > 1]
    plain = [key for key in differing if not any(key != other and key.startswith(f"{other}.") for other in differing)]
    found = []
    for view, each in zip(views, settings, strict=True):
        words = [_setting(key, each.get(key), alone=len(plain) == 1) for key in plain]
        found.append(", ".join(word for word in words if word) or f"{view.model} on {view.data}")
    return found


def _setting(key: str, value: str | None, *, alone: bool) -> str:
    plain = str(value).strip("[]'\"") or "none"
    return plain if alone or key in ("model", "data") else f"{key.rpartition('.')[2]} {plain}"
