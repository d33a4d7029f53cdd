"""Run folders in, one report out: HTML, Markdown and CSV."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from robustlit.evaluation.base import Row
from robustlit.reports.comparison import comparison_report
from robustlit.reports.csv_file import write_csv
from robustlit.reports.document import Document, Finding, Findings
from robustlit.reports.files import write_text
from robustlit.reports.html import html
from robustlit.reports.loading import find_runs
from robustlit.reports.markdown import markdown
from robustlit.reports.single import single_report
from robustlit.reports.view import View

__all__ = ["FORMATS", "Written", "check_formats", "write_report"]

FORMATS = ("html", "markdown", "csv")
_ENDINGS = {"html": "html", "markdown": "md", "csv": "csv"}


@dataclass(frozen=True)
class Written:
    """A report that has been written.

    Args:
        title: Its heading.
        lines: The verdict, a sentence a line.
        files: Where it is.
    """

    title: str
    lines: Sequence[str]
    files: Sequence[Path]


def write_report(
    places: Sequence[Path],
    out: Path | None = None,
    formats: Sequence[str] = FORMATS,
    checkpoint: str | None = None,
    split: str | None = None,
) -> Written:
    """Write ``report.html``, ``report.md`` and ``report.csv`` of one run, or of several beside each other.

    Args:
        places: Run folders, or folders of sweeps.
        out: The folder to write to; None for that of the first place.
        formats: Which of "html", "markdown" and "csv".
        checkpoint: Whose figures; None for the weights with the most tests, of equal ones the best robust.
        split: The test split that sentences are about; None for the one with the most figures.

    Raises:
        ValueError: If there is no finished run, no such checkpoint or split, or an unknown format.
    """
    check_formats(formats)
    runs, failures = find_runs(places)
    views = [View.of(run, checkpoint, split) for run in runs]
    if len(views) == 1 and not failures:
        document = single_report(views[0])
        lines = [f"{each.topic}: {each.text}" for each in _first(document)]
        tests: Mapping[str, Sequence[Row]] = views[0].run.results.tests
    else:
        document, lines = comparison_report(views, failures)
        tests = {name: rows for view in views for name, rows in _named(view)}
    folder = out or places[0]
    files = []
    writers: dict[str, Callable[[Path], None]] = {
        "html": lambda path: write_text(path, html(document)),
        "markdown": lambda path: write_text(path, markdown(document)),
        "csv": lambda path: write_csv(tests, path),
    }
    for name in FORMATS:
        if name in formats:
            files.append(folder / f"report.{_ENDINGS[name]}")
            writers[name](files[-1])
    return Written(document.title, lines, files)


def check_formats(formats: Sequence[str]) -> None:
    """Raise where a format is unknown or there is none.

    Raises:
        ValueError: Then.
    """
    if not formats:
        raise ValueError(f"expected formats of {', '.join(FORMATS)}, got none; try formats=[html]")
    for name in formats:
        if name not in FORMATS:
            from robustlit.core.names import unknown_name  # its package imports torch

            raise unknown_name("format", name, FORMATS)


def _first(document: Document) -> list[Finding]:
    return [each for block in document.sections[0].blocks if isinstance(block, Findings) for each in block.items]


def _named(view: View) -> list[tuple[str, list[Row]]]:
    """The rows of a run for the table of all: the run's name stands before the checkpoint, its seed beside."""
    seed = {"seed": view.run.results.seed}
    return [
        (f"{view.run.name}/{name}", [replace(row, conditions={**seed, **row.conditions}) for row in rows])
        for name, rows in view.run.results.tests.items()
    ]
