"""Tables of plain text for the terminal."""

from collections.abc import Sequence

from robustlit.evaluation.base import Row
from robustlit.reports.results import Results

__all__ = ["results_table", "text_table"]

HEADER = ("checkpoint", "test", "split", "metric", "value", "95 % interval", "n")
NUMBERS = frozenset({"value", "95 % interval", "n"})


def results_table(results: Results) -> str:
    """Return the test results as a table; metrics of single classes are left to ``results.json``."""
    lines = [
        _line(checkpoint, row) for checkpoint, rows in results.tests.items() for row in rows if "/" not in row.metric
    ]
    if not lines:
        return "no test was run"
    return text_table(HEADER, lines, right=[name in NUMBERS for name in HEADER])


def text_table(header: Sequence[str], lines: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Align columns of text.

    Args:
        header: Titles of the columns.
        lines: The cells.
        right: Which columns are aligned to the right.

    Example:
        >>> print(text_table(("name", "n"), [("iid", "100"), ("far", "7")], right=(False, True)))
        name    n
        ----  ---
        iid   100
        far     7
    """
    rows = [tuple(header), *map(tuple, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    aligned = (
        [cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(row, widths, right, strict=True)]
        for row in rows
    )
    return "\n".join("  ".join(cells).rstrip() for cells in aligned)


def _line(checkpoint: str, row: Row) -> tuple[str, ...]:
    interval = "" if row.low is None or row.high is None else f"{row.low:.4f} – {row.high:.4f}"
    return (checkpoint, row.test, row.split, row.metric, f"{row.value:.4f}", interval, str(row.n))
