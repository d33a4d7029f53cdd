"""Result files in, tables out."""

from robustlit.reports.results import Results
from robustlit.reports.table import results_table

__all__ = ["Results", "results_table"]
