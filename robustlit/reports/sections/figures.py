"""The part with every figure of a whole test, and published ones beside."""

from collections.abc import Iterator

from robustlit.evaluation.base import Row
from robustlit.reports.document import Section, Table, Text
from robustlit.reports.numbers import score_text, span, words
from robustlit.reports.view import View, eps_text

__all__ = ["conditions_text", "figures", "published"]

_ORDER = ("set", "preset", "size", "storage", "frost", "cells", "evaluation_seed", "precision")


def figures(view: View) -> Iterator[Section]:
    """Return the table of figures of whole tests; those of single cells and classes are in the CSV."""
    rows = [row for row in view.rows if "/" not in row.metric]
    table = [
        [words(row.test), row.split, words(row.metric), score_text(row), _ends(row), f"{row.n:,}", conditions_text(row)]
        for row in rows
    ]
    header = ["test", "split", "figure", "value", "95 % interval", "n", "conditions"]
    if table:
        note = "Means over cells carry no interval: their cells share the same images. Every cell is in the CSV file."
        moved = [[*line[:3], line[6], *line[3:6]] for line in table]
        yield Section("Figures", [Table([*header[:3], header[6], *header[3:6]], moved, right=3), Text(note, "note")])


def published(view: View) -> Iterator[Section]:
    """Return what the experiment's paper reached beside what was measured."""
    lines = []
    for key, paper in view.run.results.published.items():
        test, _, metric = key.partition("/")
        row = view.find(test, metric)
        value = paper.get("value")
        theirs = "–" if value is None else score_text(Row(test, "", metric, float(value), None, None, 0))
        ours = "not measured" if row is None else score_text(row, interval=True)
        n = "" if row is None else f"{row.n:,}"
        lines.append([key, str(paper.get("source", "")), str(paper.get("conditions", "")), theirs, ours, n])
    if lines:
        header = ["figure", "source", "their conditions", "published", "here", "n"]
        note = (
            "Whether conditions are equal is for the reader to check: a smaller network or fewer images explain a gap."
        )
        yield Section("Published figures", [Table(header, lines, right=3), Text(note, "note")])


def conditions_text(row: Row) -> str:
    """Return what a figure must not be compared without, in a few words."""
    facts = row.conditions
    parts = [str(facts["attack"])] if facts.get("attack") not in (None, "none") else []
    parts += [eps_text(facts)] if "eps" in facts else []
    for key in _ORDER:
        value = facts.get(key)
        if value not in (None, "", "none"):
            plain = key in ("set", "size") or key == "cells"
            parts.append(f"{value} cells" if key == "cells" else str(value) if plain else f"{words(key)} {value}")
    return ", ".join(part for part in parts if part)


def _ends(row: Row) -> str:
    if row.low is None or row.high is None:
        return "–"
    return span(row.low, row.high) if score_text(row).endswith("%") else f"{row.low:.3f}–{row.high:.3f}"
