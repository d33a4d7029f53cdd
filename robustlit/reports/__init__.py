"""Result files in, tables, CSV and pictures out."""

from robustlit.reports.corruption_table import corruption_tables
from robustlit.reports.csv_file import write_csv
from robustlit.reports.figure import write_figures
from robustlit.reports.results import Chosen, Results
from robustlit.reports.table import results_table
from robustlit.reports.write import write_results

__all__ = ["Chosen", "Results", "corruption_tables", "results_table", "write_csv", "write_figures", "write_results"]
