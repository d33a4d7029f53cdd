"""A report as one HTML file that needs nothing else: no network, no script."""

import base64
from collections.abc import Callable
from html import escape
from itertools import groupby
from typing import Any

from robustlit import __version__
from robustlit.reports.document import (
    Beside,
    Block,
    Chart,
    Document,
    Findings,
    Heat,
    Photo,
    Section,
    Table,
    Text,
    Tiles,
)
from robustlit.reports.style import style

__all__ = ["html"]


def html(document: Document) -> str:
    """Return the page. Every word of the document is escaped.

    Example:
        >>> "<script>" in html(Document("<script>", ""))
        False
    """
    sections = "\n".join(_section(section) for section in document.sections if section.blocks)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{escape(document.title)}</title>
<style>{style()}</style>
</head>
<body>
<main>
<header>
<h1>{escape(document.title)}</h1>
<p>{_words(document.subtitle)}</p>
</header>
{sections}
<footer>Written by robustlit {escape(__version__)}.</footer>
</main>
</body>
</html>
"""


def _section(section: Section) -> str:
    head = f"<h2>{escape(section.title)}</h2>\n" if section.title else ""
    parts = []
    for half, blocks in groupby(section.blocks, key=lambda block: bool(getattr(block, "half", False))):
        inside = "\n".join(_block(block) for block in blocks)
        parts.append(f'<div class="pair">\n{inside}\n</div>' if half else inside)
    return f"<section>\n{head}{chr(10).join(parts)}\n</section>"


def _block(block: Block) -> str:
    return _WRITERS[type(block)](block)


def _findings(block: Findings) -> str:
    items = "\n".join(
        f'<li class="{escape(each.level)}"><span class="topic">{_words(each.topic)}</span>'
        f'<span class="what">{_words(each.text)}</span></li>'
        for each in block.items
    )
    return f'<ul class="findings">\n{items}\n</ul>'


def _tiles(block: Tiles) -> str:
    items = "\n".join(
        f'<div><span class="label">{_words(each.label)}</span><b>{_words(each.value)}</b>'
        f"<span>{_words(each.small)}</span></div>"
        for each in block.items
    )
    return f'<div class="tiles">\n{items}\n</div>'


def _text(block: Text) -> str:
    kind = "" if block.kind == "plain" else f' class="{escape(block.kind)}"'
    return f"<p{kind}>{_words(block.text)}</p>"


def _table(block: Table) -> str:
    first = len(block.header) - block.right

    def cell(tag: str, place: int, words: str) -> str:
        number = ' class="n"' if place >= first else ""
        head = ' scope="row"' if tag == "td" and place == 0 else ' scope="col"' if tag == "th" else ""
        name = "th" if head else tag
        return f"<{name}{head}{number}>{_words(words)}</{name}>"

    header = "".join(cell("th", place, words) for place, words in enumerate(block.header))
    rows = []
    for number, row in enumerate(block.rows):
        kind = "strong" if number in block.strong else "muted" if number in block.muted else ""
        open_tag = f'<tr class="{kind}">' if kind else "<tr>"
        rows.append(open_tag + "".join(cell("td", place, words) for place, words in enumerate(row)) + "</tr>")
    caption = f'<p class="note">{_words(block.caption)}</p>\n' if block.caption else ""
    body = "\n".join(rows)
    table = f"<table><thead><tr>{header}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    return f'{caption}<div class="wide">{table}</div>'


def _heat(block: Heat) -> str:
    return f"{_heat_note(block)}\n{_cells(block)}"


def _heat_note(block: Heat) -> str:
    return f'<p class="note">{_words(block.caption)} {_key(block.signed)}</p>'


def _cells(block: Heat) -> str:
    last = len(block.header) - 1

    def apart(place: int) -> str:
        return " apart" if block.last_apart and place == last else ""

    header = '<th scope="col"></th>' + "".join(
        f'<th scope="col" class="{apart(place).strip()}">{_words(words)}</th>'
        for place, words in enumerate(block.header)
    )
    rows = []
    for group, lines in block.groups:
        if group:
            rows.append(f'<tr><th scope="rowgroup" colspan="{last + 2}">{escape(group)}</th></tr>')
        for label, values in lines:
            cells = "".join(
                f'<td class="{_shade(value, block.signed)}{apart(place)}">{_heat_words(value, block.signed)}</td>'
                for place, value in enumerate(values)
            )
            rows.append(f'<tr><th scope="row">{_words(label)}</th>{cells}</tr>')
    body = "\n".join(rows)
    table = f'<table class="heat"><thead><tr>{header}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _shade(value: float | None, signed: bool) -> str:
    """The class of a cell: scores darken as they fall, differences go two ways."""
    if value is None:
        return ""
    if not signed:
        return f"h{min(9, max(0, int((1 - value) * 10)))}"
    step = next((place for place, bound in enumerate((0.01, 0.03, 0.08, 0.15, 0.25)) if abs(value) < bound), 5)
    return "" if step == 0 else f"{'m' if value > 0 else 'p'}{step}"


def _heat_words(value: float | None, signed: bool) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f}".replace("-", "−") if signed else f"{100 * value:.0f}"


def _key(signed: bool) -> str:
    """What the colours mean."""
    names = (
        [f"p{n}" for n in range(5, 0, -1)] + [f"m{n}" for n in range(1, 6)]
        if signed
        else [f"h{n}" for n in range(9, -1, -1)]
    )
    cells = "".join(f'<i class="{name}"></i>' for name in names)
    low, high = ("worse", "better") if signed else ("The stronger the colour, the lower: 0 %", "100 %")
    return f'<span class="scale">{low}<span class="key">{cells}</span>{high}</span>'


def _chart(block: Chart) -> str:
    return f"<figure>{block.svg}<figcaption>{_words(block.caption)}</figcaption></figure>"


def _photo(block: Photo) -> str:
    data = base64.b64encode(block.png).decode()
    alt = escape(block.caption, quote=True)
    picture = f'<img alt="{alt}" src="data:image/png;base64,{data}">'
    return f"<figure>{picture}<figcaption>{_words(block.caption)}</figcaption></figure>"


def _beside(block: Beside) -> str:
    right = "\n".join(map(_chart, block.right))
    return f'{_heat_note(block.left)}<div class="beside"><div>{_cells(block.left)}</div><div>{right}</div></div>'


def _words(text: str) -> str:
    r"""Escape a text, and keep a number on one line with its sign.

    Example:
        >>> _words("<b> 5.0 %")
        '&lt;b&gt; 5.0\xa0%'
    """
    return escape(text).replace(" %", "\u00a0%").replace("n = ", "n\u00a0=\u00a0").replace(" ± ", "\u00a0±\u00a0")


_WRITERS: dict[type, Callable[[Any], str]] = {
    Findings: _findings,
    Tiles: _tiles,
    Text: _text,
    Table: _table,
    Heat: _heat,
    Chart: _chart,
    Photo: _photo,
    Beside: _beside,
}
