"""Results as a table for spreadsheets and pandas: one line a figure."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from robustlit.evaluation.base import Row
from robustlit.reports.files import write_text

__all__ = ["write_csv"]

_COLUMNS = ("checkpoint", "test", "split", "metric", "value", "low", "high", "n")


def write_csv(tests: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Write one line a row, its conditions in columns of their own; what is not there is an empty cell.

    Args:
        tests: The rows by checkpoint, as :class:`~robustlit.reports.Results` has them.
        path: The file.
    """
    conditions = list(dict.fromkeys(key for rows in tests.values() for row in rows for key in row.conditions))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *conditions])
    for checkpoint, rows in tests.items():
        for row in rows:
            value = "" if math.isnan(row.value) else row.value
            known = [row.conditions.get(key) for key in conditions]
            writer.writerow([checkpoint, row.test, row.split, row.metric, value, row.low, row.high, row.n, *known])
    write_text(path, text.getvalue())
