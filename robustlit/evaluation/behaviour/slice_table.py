"""What is known of every image beside its class: a CSV table with the camera, the site, the country, the group."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from robustlit.core.names import unknown_name
from robustlit.data.errors import DataError

if TYPE_CHECKING:
    from robustlit.data.samples import Samples

__all__ = ["NOTHING", "SliceTable", "in_order", "read_slices", "values_of"]

NOTHING = "(none)"  # the slice of images whose field is empty
_KEYS = ("file", "filename", "file_name", "path", "image", "image_path", "name", "index")
_SPLIT = "split"  # of a table of several splits
_MOST = 100  # different values of a column


@dataclass(frozen=True)
class SliceTable:
    """A table with a row an image.

    Args:
        path: Where it was read.
        key: The column that names the image.
        columns: The columns that slice.
        rows: The fields by column.
        bins: Edges of numeric columns, rising.
    """

    path: Path
    key: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    bins: Mapping[str, Sequence[float]]


def read_slices(
    path: str | Path,
    columns: Sequence[str] | None = None,
    key: str | None = None,
    bins: Mapping[str, Sequence[float]] | None = None,
) -> SliceTable:
    """Read a CSV file with a header.

    Args:
        path: The file.
        columns: The columns that slice; None for all but the key and "split".
        key: The column that names the image; None for one that is called file, path, image, name, index or the like.
        bins: Edges of numeric columns, rising: [40, 60] makes three slices.

    Raises:
        DataError: If the file or a column is missing, or an edge is no number.
    """
    if not Path(path).is_file():
        raise DataError(f"expected a CSV file at {path}, got nothing there; try another path")
    with Path(path).open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        header = [name for name in reader.fieldnames or [] if name]
        rows = tuple({name: (row[name] or "").strip() for name in header} for row in reader)
    if key is None:
        key = next((name for name in header if name.lower() in _KEYS), None)
        if key is None:
            raise DataError(
                f"expected a column that names the image in {path}, got {', '.join(header)}; try key=COLUMN"
            )
    known = [name for name in header if name not in (key, _SPLIT)]
    for name in [key, *(columns or ()), *(bins or {})]:
        if name not in header:
            raise DataError(f"{path}: {unknown_name('column', name, header)}")
    chosen = tuple(known if columns is None else columns)
    if not chosen:
        raise DataError(f"expected a column to slice by in {path}, got {', '.join(header)}; try another table")
    for name, edges in (bins or {}).items():
        if list(edges) != sorted(set(edges)) or not edges:
            raise DataError(f"expected rising edges for {name}, got {list(edges)}; try bins={{{name}: [40, 60]}}")
    return SliceTable(Path(path), key, chosen, rows, dict(bins or {}))


def values_of(table: SliceTable, split: str, samples: "Samples") -> dict[str, dict[int, str]]:
    """Return, for every column, the value of every image of a split by its index.

    An image is found by its index in the data set, or by its file's name or the end of its path, with or without the
    suffix.

    Raises:
        DataError: If an image has no row or shares one, or a column has too many values.
    """
    rows = [row for row in table.rows if row.get(_SPLIT, "") in ("", split)]
    by_key: dict[str, Mapping[str, str]] = {}
    for row in rows:
        name = row[table.key].replace("\\", "/").removeprefix("./").strip("/")
        if name in by_key:
            raise DataError(f"expected every image once in {table.path}, got {name!r} twice; try a column 'split'")
        by_key[name] = row
    found = _rows_of(table, by_key, samples)
    return {column: _column(table, column, found) for column in table.columns}


def in_order(values: Iterable[str]) -> list[str]:
    """Return every value once, as a person would list them: by the numbers in them, the lowest bin first.

    Example:
        >>> in_order(["from 160", "site 10", "site 2", "80 to 160", "below 80"])
        ['below 80', '80 to 160', 'site 2', 'site 10', 'from 160']
    """

    def key(value: str) -> tuple[bool, bool, list[tuple[int, float, str]]]:
        parts = [part for part in re.split(r"(\d+(?:\.\d+)?)", value) if part]
        written = [(0, float(part), "") if part[0].isdecimal() else (1, 0.0, part) for part in parts]
        return not value.startswith("below "), value.startswith("from "), written

    return sorted(set(values), key=key)


def _rows_of(
    table: SliceTable, by_key: Mapping[str, Mapping[str, str]], samples: "Samples"
) -> dict[int, Mapping[str, str]]:
    files = getattr(samples.source, "images", None)
    has_files = isinstance(files, list) and bool(files) and isinstance(files[0], Path)
    found: dict[int, Mapping[str, str]] = {}
    taken: dict[str, int] = {}
    missing: list[str] = []
    for index in samples.indices:
        names = [str(index)] if table.key.lower() == "index" or not has_files else _names(files[index])  # type: ignore[index]
        name = next((each for each in names if each in by_key), None)
        if name is None:
            missing.append(samples.describe(index))
            continue
        if taken.setdefault(name, index) != index:
            raise DataError(
                f"expected one image for {name!r} in {table.path}, got {samples.describe(taken[name])} and "
                f"{samples.describe(index)}; try more of their paths"
            )
        found[index] = by_key[name]
    if missing:
        raise DataError(
            f"expected a row for every image in {table.path}, got none for {len(missing)} of {len(samples)}, the first "
            f"being {missing[0]!r}; try another key than {table.key!r}"
        )
    return found


def _names(path: Path) -> Iterable[str]:
    """What a table may call a file: the longest first, and names without the suffix last."""
    parts, bare = path.parts, (*path.parts[:-1], path.stem)
    for whole in (parts, bare):
        for start in range(len(whole)):
            yield "/".join(whole[start:]).strip("/")


def _column(table: SliceTable, column: str, rows: Mapping[int, Mapping[str, str]]) -> dict[int, str]:
    edges = table.bins.get(column)
    values = {
        index: (row[column] if edges is None else _bin(table, column, row[column], edges)) or NOTHING
        for index, row in rows.items()
    }
    count = len(set(values.values()))
    if count > _MOST:
        raise DataError(
            f"expected at most {_MOST} values of {column} in {table.path}, got {count}; try "
            f"bins={{{column}: [EDGE, …]}} for numbers, or other columns"
        )
    return values


def _bin(table: SliceTable, column: str, text: str, edges: Sequence[float]) -> str:
    if not text:
        return ""
    try:
        number = float(text)
    except ValueError as error:
        raise DataError(f"expected numbers in {column} of {table.path}, got {text!r}; try no bins for it") from error
    place = sum(number >= edge for edge in edges)
    if place == 0:
        return f"below {edges[0]:g}"
    return f"from {edges[-1]:g}" if place == len(edges) else f"{edges[place - 1]:g} to {edges[place]:g}"
