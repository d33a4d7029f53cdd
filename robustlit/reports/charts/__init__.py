"""Charts of reports as SVG, written by hand: they need no script and no network, and take the page's colours."""

from robustlit.reports.charts.lines import Line, line_chart
from robustlit.reports.charts.ranges import Range, range_chart
from robustlit.reports.charts.reliability import reliability_chart
from robustlit.reports.charts.scatter import Dot, scatter_chart

__all__ = ["Dot", "Line", "Range", "line_chart", "range_chart", "reliability_chart", "scatter_chart"]
