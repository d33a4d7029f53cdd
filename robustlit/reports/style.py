"""The style sheet of reports."""

from functools import cache
from importlib.resources import files

__all__ = ["style"]


@cache
def style() -> str:
    """Return the content of ``report.css``, which goes into every page."""
    return files("robustlit.reports").joinpath("report.css").read_text(encoding="utf-8")
