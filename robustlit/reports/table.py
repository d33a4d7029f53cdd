"""Tables of plain text for the terminal."""

from collections.abc import Sequence

from robustlit.evaluation.base import Row
from robustlit.reports.results import Results

__all__ = ["results_table", "text_table"]


def results_table(results: Results) -> str:
    """Return the test results as a table, one line a checkpoint and split.

    A rate is followed by its 95 % interval. Metrics of single classes are left to ``results.json``.
    """
    lines: dict[tuple[str, str, str, int], dict[str, str]] = {}
    for checkpoint, rows in results.tests.items():
        for row in rows:
            if "/" not in row.metric:
                lines.setdefault((checkpoint, row.test, row.split, row.n), {})[row.metric] = _figure(row)
    if not lines:
        return "no test was run"
    metrics = list(dict.fromkeys(metric for cells in lines.values() for metric in cells))
    header = ["checkpoint", "test", "split", "n", *metrics]
    cells = [[*map(str, key), *(found.get(metric, "") for metric in metrics)] for key, found in lines.items()]
    return text_table(header, cells, right=[False] * 3 + [True] * (1 + len(metrics)))


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
        [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        for row in rows
    )
    return "\n".join("  ".join(cells).rstrip() for cells in aligned)


def _figure(row: Row) -> str:
    interval = "" if row.low is None or row.high is None else f" ({row.low:.4f}–{row.high:.4f})"
    return f"{row.value:.4f}{interval}"
