"""Every cell of a corruption test as text: a row a corruption, a column a severity."""

from collections.abc import Sequence

from robustlit.families import by_family
from robustlit.reports.corruption_blocks import CorruptionBlock, corruption_blocks
from robustlit.reports.results import Results
from robustlit.reports.table import text_table

__all__ = ["corruption_tables", "provenance_line"]

_ORDER = ("source", "made_from", "preset", "size", "n", "evaluation_seed", "frost", "storage", "masks")
_WRITTEN = {"size": "{0}", "n": "n = {0}"}  # the others are "name value"


def corruption_tables(results: Results) -> list[str]:
    """Return a table for every checkpoint and split that was tested on corrupted images."""
    return [_table(block, results) for block in corruption_blocks(results)]


def provenance_line(block: CorruptionBlock, results: Results) -> str:
    """Return what the figures must not be compared without, in one line."""
    facts = {"n": f"{block.n:,}", **block.conditions}
    version = facts.pop("version", "")
    facts.pop("set", None)
    keys = [key for key in _ORDER if key in facts] + [key for key in facts if key not in _ORDER]
    parts = [_WRITTEN.get(key, "{1} {0}").format(facts[key], key.replace("_", " ")) for key in keys]
    parts += [f"robustlit {version}"] if version else []
    for name in block.checkpoints:
        if name in results.selected_on:
            parts.append(f"{name} selected on {results.selected_on[name].monitor}")
    return " · ".join(parts)


def _table(block: CorruptionBlock, results: Results) -> str:
    severities = sorted({severity for row in block.cells.values() for severity in row if severity})
    lines = _lines(block, severities)
    body = text_table(
        ["", *(f"{severity:g}" for severity in severities), "mean"], lines, [False] + [True] * (len(severities) + 1)
    )
    heading = f"{' = '.join(block.checkpoints)} · {block.place} · {block.score} in %, by corruption and severity"
    return "\n".join([heading, body, *block.notes, provenance_line(block, results)])


def _lines(block: CorruptionBlock, severities: Sequence[int | float]) -> list[list[str]]:
    blank = [""] * len(severities)
    lines = [] if block.clean is None else [["clean", *blank, _percent(block.clean)]]
    for family, labels in by_family(block.cells).items():
        lines.append([family, *blank, ""])
        for label in labels:
            row = block.cells[label]
            cells = [_percent(row.get(severity)) for severity in severities]
            lines.append([f"  {label}", *cells, _percent(row.get(0, block.means.get(label)))])
    lines += [[f"mean of {test}", *blank, _percent(row.value)] for test, row in block.tests.items()]
    return lines


def _percent(value: float | None) -> str:
    """Write a share as a number of percent; a dash where it was not measured.

    Example:
        >>> _percent(0.8125), _percent(None)
        ('81.2', '–')
    """
    return "–" if value is None else f"{100 * value:.1f}"
