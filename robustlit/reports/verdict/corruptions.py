"""Sentences about corruptions."""

from collections.abc import Iterator
from typing import NamedTuple

from robustlit.families import KINDS, by_family
from robustlit.reports.corruption_blocks import TITLES, CorruptionBlock
from robustlit.reports.document import Finding
from robustlit.reports.numbers import percent, points, span, words
from robustlit.reports.paired import Difference
from robustlit.reports.view import View

__all__ = ["Drop", "corruption_findings", "drops", "kinds"]

_LITTLE = 0.02  # a drop below it is called harmless
_SAME = 0.0005  # a difference below it is written as 0.0 points


class Drop(NamedTuple):
    """What a corruption costs.

    Args:
        label: The corruption.
        score: Mean score over its severities.
        points: How far that lies below clean.
        paired: The same on equal images with its interval, where outcomes were kept.
    """

    label: str
    score: float
    points: float
    paired: Difference | None


def drops(view: View, block: CorruptionBlock) -> list[Drop]:
    """Return what every corruption costs, the worst first."""
    clean = block.clean
    found = []
    for label, cells in block.cells.items():
        score = block.means.get(label, cells.get(0))
        if score is None or clean is None:
            continue
        names = [f"{label}/{severity:g}" for severity in cells if severity] or [label]
        test = next((test for test in block.tests if names[0] in view.outcomes_of(test, block.split)), "")
        found.append(Drop(label, score, clean - score, view.lost(test, block.split, names)))
    return sorted(found, key=lambda drop: drop.score)


def kinds(block: CorruptionBlock) -> dict[str, float]:
    """Return the mean score of noise, blur, weather and digital corruptions that were measured."""
    means = {label: block.means.get(label, cells.get(0)) for label, cells in block.cells.items()}
    found = {}
    for kind, labels in by_family(block.cells).items():
        values = [value for label in labels if (value := means[label]) is not None]
        if kind in KINDS and values:
            found[kind] = sum(values) / len(values)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def corruption_findings(view: View) -> Iterator[Finding]:
    """Say which corruption costs most, which kind, what selection hides, and what does little."""
    block = view.block
    if block is None:
        return
    costs = drops(view, block)
    if costs:
        yield _worst(view, block, costs[0])
    yield from _by_kind(view, block)
    yield from _families(view, block)
    mild = [drop for drop in costs if drop.points < _LITTLE]
    if mild and len(mild) < len(costs):
        names = _listed([words(drop.label) for drop in mild[-4:]])
        more = f" and {len(mild) - 4} more" if len(mild) > 4 else ""
        yield Finding("Holds", f"{names}{more} cost less than {100 * _LITTLE:.0f} points.".capitalize(), "good")
    for note in block.notes:
        yield Finding("Incomplete", f"{note}.", "note")


def _worst(view: View, block: CorruptionBlock, drop: Drop) -> Finding:
    name = words(drop.label).capitalize()
    if drop.points <= 0 or block.clean is None:
        return Finding(
            "Corruptions", f"No corruption lowers {view.score_words} on average; {name.lower()} comes nearest.", "good"
        )
    cells = block.cells[drop.label]
    hardest = max(cells)
    row = view.find(next(iter(block.tests)), f"{block.score}/{drop.label}/{hardest:g}") or next(
        (row for row in view.own if row.metric == f"{block.score}/{drop.label}/{hardest:g}"), None
    )
    ends = "" if drop.paired is None else f" ({span(drop.paired.low, drop.paired.high)}, same images)"
    last = ""
    if row is not None and len(cells) > 1:
        last = f"; at severity {hardest:g} to {percent(row.value)} ({span(row.low, row.high)})"
    return Finding(
        words(drop.label).capitalize(),
        f"{name} breaks it most: {view.score_words} falls from {percent(block.clean)} to {percent(drop.score)} on "
        f"average over severities, by {100 * drop.points:.1f} points{ends}{last}; n = {block.n:,}.",
    )


def _by_kind(view: View, block: CorruptionBlock) -> Iterator[Finding]:
    found = kinds(block)
    if len(found) < 2:
        return
    (worst, low), *_, (best, high) = found.items()
    if high - low < _SAME:
        return
    parts = _listed([f"{percent(value)} under {kind}" for kind, value in found.items()])
    text = (
        f"{worst.capitalize()} costs {100 * (high - low):.1f} points more than {best}: {view.score_words} is {parts}."
    )
    yield Finding("By kind", text, "bad" if high - low > 0.03 else "note")


def _families(view: View, block: CorruptionBlock) -> Iterator[Finding]:
    scores = {name: block.tests[name].value for name in TITLES if name in block.tests}
    others = {name: value for name, value in scores.items() if name != "extra"}
    if "extra" not in scores or not others:
        return
    gaps = _listed(
        [f"{TITLES[name]} {percent(value)} ({points(value - scores['extra'])})" for name, value in others.items()]
    )
    selected = "extra" in view.selected_on
    how = ", the family that chose this checkpoint (on validation images)," if selected else ""
    far = min(value - scores["extra"] for value in others.values()) < -0.03
    yield Finding(
        "Unseen families",
        f"EXTRA{how} reaches {percent(scores['extra'])}; families that chose nothing: {gaps}.",
        "bad" if far else "note",
    )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
