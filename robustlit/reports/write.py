"""A result file and what goes beside it."""

from pathlib import Path

from robustlit.reports.csv_file import write_csv
from robustlit.reports.figure import write_figures
from robustlit.reports.results import Results

__all__ = ["write_results"]


def write_results(results: Results, path: Path) -> list[Path]:
    """Write ``<stem>.json``, ``<stem>.csv`` and ``<stem>_<split>_corruptions.png``.

    Args:
        results: The results.
        path: The JSON file.

    Returns:
        The files.
    """
    results.write(path)
    table = path.with_suffix(".csv")
    write_csv(results.tests, table)
    return [path, table, *write_figures(results, path.with_suffix(""))]
