"""Which classes of a model the classes of another data set are, by equal names or by a table."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from robustlit.data.errors import DataError

__all__ = ["ClassMapping", "by_names", "by_table", "named_classes", "read_table", "table_of"]

Table = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ClassMapping:
    """The classes of a data set as those of a model.

    Args:
        names: The data set's classes.
        places: For each, the places of the model's classes that are right for it; none where it is left out.
        source: Where the correspondence is from, in words.
        kept: The places among which the model has to choose; None for all.
    """

    names: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    source: str
    kept: tuple[int, ...] | None = None

    @property
    def mapped(self) -> tuple[int, ...]:
        """All places that are right for a class, ascending."""
        return tuple(sorted({place for places in self.places for place in places}))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The data set's classes that are none of the model's."""
        return tuple(name for name, places in zip(self.names, self.places, strict=True) if not places)


def by_names(names: Sequence[str], model_names: Sequence[str]) -> ClassMapping:
    """Map classes to those of the same name.

    Raises:
        DataError: If there is none.

    Example:
        >>> by_names(["cat", "cow"], ["dog", "cat"]).places
        ((1,), ())
    """
    place = {name: number for number, name in enumerate(model_names)}
    found = tuple((place[name],) if name in place else () for name in names)
    if not any(found):
        raise DataError(
            f"expected classes that the model has too, got {_some(names)} where it has {_some(model_names)}; "
            "try mapping=FILE.csv with the columns class and model_class"
        )
    return ClassMapping(tuple(names), found, "equal names")


def by_table(names: Sequence[str], model_names: Sequence[str], table: Table, source: str) -> ClassMapping:
    """Map classes by a table; those that it lacks are left out.

    Args:
        names: The data set's classes.
        model_names: The model's classes; a table may also have their places, from 0.
        table: Class of the data set to classes of the model.
        source: Where the table is from.

    Raises:
        DataError: If the table names a class that neither has, or maps none.

    Example:
        >>> table = {"tabby": ["cat"], "siamese": ["1"]}
        >>> by_table(["tabby", "siamese", "cow"], ["dog", "cat"], table, "a table").places
        ((1,), (1,), ())
    """
    unknown = [name for name in table if name not in names]
    if unknown:
        raise _unknown("class of the data set", unknown[0], names, source)
    place = {str(number): number for number in range(len(model_names))}
    place |= {name: number for number, name in enumerate(model_names)}
    for name in (name for several in table.values() for name in several):
        if name not in place:
            raise _unknown("class of the model", name, model_names, source)
    found = tuple(tuple(sorted({place[each] for each in table.get(name, ())})) for name in names)
    if not any(found):
        raise DataError(f"expected a class that is mapped in {source}, got none; try adding one")
    return ClassMapping(tuple(names), found, source)


def named_classes(class_names: Sequence[str], num_classes: int) -> tuple[str, ...]:
    """Return the names of a model's classes; their numbers where they have none."""
    return tuple(class_names) or tuple(map(str, range(num_classes)))


def table_of(mapping: str | Path | Mapping[str, Any]) -> tuple[dict[str, list[str]], str]:
    """Return a table that is given, or is in a file, and where it is from.

    Raises:
        DataError: If the file is missing or is of neither kind.
    """
    if isinstance(mapping, Mapping):
        return {str(name): _listed(classes) for name, classes in mapping.items()}, "the given table"
    return read_table(Path(mapping)), Path(mapping).name


def read_table(path: Path) -> dict[str, list[str]]:
    """Read a table of classes from a CSV or JSON file.

    A CSV file has the columns ``class`` and ``model_class``, a line for each pair; an empty ``model_class`` leaves the
    class out. A JSON file has an object whose values are a class, a list of them, or null.

    Raises:
        DataError: If the file is missing or is of neither kind.
    """
    if not path.is_file():
        raise DataError(f"expected a CSV or JSON file at {path}, got nothing there; try another mapping")
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _from_json(json.loads(text)) if path.suffix.lower() == ".json" else _from_csv(text, path)
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise DataError(
            f'expected a table of classes in {path}, got {error}; try {{"class": "model class"}}'
        ) from error


def _from_json(content: Any) -> dict[str, list[str]]:
    return {str(name): _listed(classes) for name, classes in content.items()}


def _from_csv(text: str, path: Path) -> dict[str, list[str]]:
    reader = csv.DictReader(text.splitlines())
    columns = reader.fieldnames or []
    if not {"class", "model_class"} <= set(columns):
        raise DataError(
            f"expected the columns class and model_class in {path}, got {','.join(columns)}; try adding a first line"
        )
    found: dict[str, list[str]] = {}
    for row in reader:
        several = found.setdefault(row["class"].strip(), [])
        if (row["model_class"] or "").strip():
            several.append(row["model_class"].strip())
    return found


def _listed(classes: Any) -> list[str]:
    if classes is None:
        return []
    return [str(each) for each in classes] if isinstance(classes, list | tuple) else [str(classes)]


def _unknown(what: str, name: str, known: Sequence[str], source: str) -> DataError:
    near = get_close_matches(name, known, n=1, cutoff=0.0)
    return DataError(f"expected the name of a {what} in {source}, got {name!r}; try {near[0] if near else 'another'!r}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
