"""The last part of a comparison: every run by itself, and what all were measured with."""

from collections.abc import Iterator, Sequence

from robustlit.reports.columns import column_name
from robustlit.reports.document import Section, Table
from robustlit.reports.groups import Agreed
from robustlit.reports.numbers import score_text
from robustlit.reports.sections.figures import conditions_text
from robustlit.reports.view import View

__all__ = ["runs"]


def runs(views: Sequence[View], agreed: Sequence[Agreed]) -> Iterator[Section]:
    """Return a row a run, then the conditions of every column."""
    rows = []
    for number, view in enumerate(views):
        cells = []
        for one in agreed:
            row = one.rows.get(number)
            cells.append("–" if row is None else score_text(row))
        rows.append([view.run.name, str(view.run.results.seed), view.checkpoint, view.selected_on, *cells])
    header = ["run", "seed", "weights", "selected on", *(column_name(one.key) for one in agreed)]
    yield Section("Runs", [Table(header, rows, right=len(agreed))])
    conditions = []
    for one in agreed:
        first = next(iter(one.rows.values()), None)
        if first is not None:
            widths = [row.high - row.low for row in one.rows.values() if row.low is not None and row.high is not None]
            half = f"± {50 * max(widths):.1f}" if widths else "–"
            conditions.append([column_name(one.key), first.split, conditions_text(first), half, f"{first.n:,}"])
    versions = dict.fromkeys(
        ", ".join(f"{name} {view.run.results.versions.get(name, '?')}" for name in ("robustlit", "torch"))
        for view in views
    )
    table = Table(
        ["figure", "split", "conditions", "95 % interval of a run", "n"],
        conditions,
        right=2,
        caption="; ".join(versions),
    )
    yield Section("Conditions", [table])
