"""The summary of a result file for the terminal: one line a checkpoint, test and split."""

from collections.abc import Sequence

from robustlit.evaluation.base import Row
from robustlit.reports.corruption_blocks import is_corruption_test
from robustlit.reports.results import Results

__all__ = ["results_table", "text_table"]

_FIRST = ("accuracy", "auroc", "iou", "mean_corruption_error", "mce", "clean", "relative")  # then the others


def results_table(results: Results) -> str:
    """Return the test results as tables, one line a checkpoint, test and split.

    A rate is followed by its 95 % interval. Tests of other metrics, and corruption tests, whose figures are means over
    cells, have tables of their own. Metrics of single classes and single cells are left to ``results.json``.
    """
    plain: list[tuple[str, list[Row]]] = []
    means: list[tuple[str, list[Row]]] = []
    for checkpoint, rows in results.tests.items():
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            groups.setdefault((row.test, row.split), []).append(row)
        for own in groups.values():
            (means if is_corruption_test(own) else plain).append((checkpoint, own))
    tables = [_table(alike, list(_metrics(alike))) for alike in _of_like_metrics(plain)]
    if means:
        ordered = sorted(_metrics(means), key=lambda metric: _FIRST.index(metric) if metric in _FIRST else len(_FIRST))
        tables.append(f"means over corruptions and severities\n{_table(means, ordered, cells=True)}")
    return "\n\n".join(tables) or "no test was run"


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


def _of_like_metrics(groups: Sequence[tuple[str, list[Row]]]) -> list[list[tuple[str, list[Row]]]]:
    """Put together what is of one test, or has the same metrics as others or only some of them."""
    found: list[list[tuple[str, list[Row]]]] = []
    for group in groups:
        same = next((each for each in found if _is_alike(group, each)), None)
        if same is None:
            found.append([group])
        else:
            same.append(group)
    return found


def _is_alike(group: tuple[str, list[Row]], others: Sequence[tuple[str, list[Row]]]) -> bool:
    own, theirs = _metrics([group]).keys(), _metrics(others).keys()
    return own <= theirs or theirs <= own or group[1][0].test in {rows[0].test for _, rows in others}


def _metrics(groups: Sequence[tuple[str, list[Row]]]) -> dict[str, None]:
    """Return the metrics of whole tests, in the order in which they occur."""
    return dict.fromkeys(row.metric for _, rows in groups for row in rows if "/" not in row.metric)


def _table(groups: Sequence[tuple[str, list[Row]]], metrics: Sequence[str], *, cells: bool = False) -> str:
    header = ["checkpoint", "test", "split", "n", *(["cells"] if cells else []), *metrics]
    lines = []
    for checkpoint, rows in groups:
        whole = [row for row in rows if "/" not in row.metric]
        found = {row.metric: _figure(row) for row in whole}
        if whole:
            first = whole[0]
            covered = [str(first.conditions.get("cells", ""))] if cells else []
            figures = [found.get(metric, "") for metric in metrics]
            lines.append([checkpoint, first.test, first.split, str(first.n), *covered, *figures])
    return text_table(header, lines, right=[False] * 3 + [True] * (len(header) - 3))


def _figure(row: Row) -> str:
    interval = "" if row.low is None or row.high is None else f" ({row.low:.4f}–{row.high:.4f})"
    return f"{row.value:.4f}{interval}"
