"""What a report says, apart from how it is written down: sections of sentences, tables, charts and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Beside",
    "Block",
    "Chart",
    "Document",
    "Finding",
    "Findings",
    "Heat",
    "Photo",
    "Section",
    "Table",
    "Text",
    "Tile",
    "Tiles",
]


@dataclass(frozen=True)
class Finding:
    """A sentence of the verdict.

    Args:
        topic: What it is about, in one or two words: "noise", "attack".
        text: The sentence, with its figures.
        level: "bad" for what breaks the model, "good" for what does not, "note" for what must be known.
    """

    topic: str
    text: str
    level: str = "bad"


@dataclass(frozen=True)
class Findings:
    """The sentences of the verdict, in order."""

    items: list[Finding]


@dataclass(frozen=True)
class Tile:
    """One of the few figures that stand for a model.

    Args:
        label: What was measured.
        value: The figure.
        small: What it must not stand without: interval, n, conditions.
    """

    label: str
    value: str
    small: str


@dataclass(frozen=True)
class Tiles:
    """Figures beside each other."""

    items: Sequence[Tile]


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Args:
        text: The words.
        kind: "plain", "note" for what stands below a figure, or "warning".
    """

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Args:
        header: Titles of the columns.
        rows: The cells.
        right: How many columns at the end are numbers, aligned to the right.
        caption: What is seen.
        strong: Numbers of the rows that stand out.
        muted: Numbers of the rows that stand back.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: int = 0
    caption: str = ""
    strong: Sequence[int] = ()
    muted: Sequence[int] = ()


@dataclass(frozen=True)
class Heat:
    """A table whose cells are coloured by their value.

    Args:
        header: Titles of the columns, without that of the labels.
        groups: (group, [(label, values)]); None where nothing was measured.
        caption: What is seen.
        signed: Whether values are differences, which go both ways, rather than scores in [0, 1].
        last_apart: Whether the last column is a mean.
    """

    header: Sequence[str]
    groups: Sequence[tuple[str, Sequence[tuple[str, Sequence[float | None]]]]]
    caption: str = ""
    signed: bool = False
    last_apart: bool = True


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Args:
        svg: An ``<svg>`` element whose texts are escaped.
        caption: What is seen.
        half: Whether two of them fit beside each other.
    """

    svg: str
    caption: str
    half: bool = False


@dataclass(frozen=True)
class Photo:
    """A picture.

    Args:
        png: Content of the file.
        caption: What is seen.
        half: Whether two of them fit beside each other.
    """

    png: bytes
    caption: str
    half: bool = False


@dataclass(frozen=True)
class Beside:
    """A table of cells, and charts at its right where there is room.

    Args:
        left: The table.
        right: The charts.
    """

    left: Heat
    right: Sequence[Chart]


Block: TypeAlias = Findings | Tiles | Text | Table | Heat | Chart | Photo | Beside


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        title: Its heading.
        blocks: What is in it.
    """

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A report.

    Args:
        title: The heading.
        subtitle: What it is of, in a line or two.
        sections: Its parts; empty ones are not written.
    """

    title: str
    subtitle: str
    sections: Sequence[Section] = field(default_factory=list)
