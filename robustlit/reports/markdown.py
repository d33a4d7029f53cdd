"""A report as Markdown: its sentences and tables; charts and pictures are in the HTML."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from robustlit.reports.document import Beside, Chart, Document, Findings, Heat, Photo, Table, Text, Tiles

__all__ = ["markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(document: Document) -> str:
    r"""Return the report as Markdown. Names cannot become markup.

    Example:
        >>> print(markdown(Document("a|b <i>", "of c")))
        # a\|b \<i\>
        <BLANKLINE>
        of c
        <BLANKLINE>
    """
    parts = [f"# {plain(document.title)}", plain(document.subtitle)]
    for section in document.sections:
        blocks = [text for text in map(_block, section.blocks) if text]
        if blocks:
            parts += [f"## {plain(section.title)}"] if section.title else []
            parts += blocks
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _block(block: Any) -> str:
    return _WRITERS[type(block)](block)


def _findings(block: Findings) -> str:
    return "\n".join(f"- **{plain(each.topic)}**: {plain(each.text)}" for each in block.items)


def _tiles(block: Tiles) -> str:
    return _grid(["", "figure", ""], [[each.label, each.value, each.small] for each in block.items], 0)


def _text(block: Text) -> str:
    return f"> {plain(block.text)}" if block.kind == "warning" else plain(block.text)


def _table(block: Table) -> str:
    table = _grid(block.header, block.rows, block.right)
    return f"{plain(block.caption)}\n\n{table}" if block.caption else table


def _heat(block: Heat) -> str:
    def words(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{100 * value:+.1f}".replace("-", "−") if block.signed else f"{100 * value:.1f}"

    rows = [[label, group, *map(words, values)] for group, lines in block.groups for label, values in lines]
    return f"{plain(block.caption)}\n\n{_grid(['', 'kind', *block.header], rows, len(block.header))}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]], right: int) -> str:
    first = len(header) - right
    rule = ["---:" if place >= first else "---" for place in range(len(header))]
    lines = [[plain(cell) for cell in header], rule, *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _beside(block: Beside) -> str:
    return _heat(block.left)


_WRITERS: dict[type, Callable[[Any], str]] = {
    Findings: _findings,
    Tiles: _tiles,
    Text: _text,
    Table: _table,
    Heat: _heat,
    Chart: lambda _: "",
    Photo: lambda _: "",
    Beside: _beside,
}
