"""The cells of a published set by family, and what is known of how they were made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from robustlit.corruptions.families import BAR_CIFAR, BAR_IMAGENET, COMMON, EXTRA
from robustlit.corruptions.severity import SEVERITIES
from robustlit.data.corrupted import ClassFolders, CorruptedSet
from robustlit.data.corrupted.base import CellKey
from robustlit.evaluation.corrupted.corruption_rows import published_name
from robustlit.metrics.cells import Cell
from robustlit.metrics.mce import has_wordnet_names, why_not_mce

__all__ = ["Part", "conditions_of", "key_of", "parts", "why_not_mce_of"]

_SHOWN = 5  # missing corruptions or cells named in a condition


@dataclass(frozen=True)
class Part:
    """The cells of one family in a set.

    Args:
        test: Name of the test that its figures belong to.
        family: "common", "extra", "bar", or "other" for names of no published family.
        cells: What is there.
        missing: What the family has beside it.
    """

    test: str
    family: str
    cells: tuple[CellKey, ...]
    missing: tuple[CellKey, ...]


def key_of(cell: CellKey) -> Cell:
    """Return the key of a cell's scores; a condition without severities has severity 0."""
    return (cell[0], cell[1] or 0)


def parts(name: str, found: CorruptedSet) -> list[Part]:
    """Sort the cells of a set into families; where there is one family, its test has the set's own name."""
    if any(severity is None for _, severity in found.cells):  # real conditions, of which one may be called fog too
        return [Part(name, "other", found.cells, ())]
    labels = {_place(label, found): label for label in found.names}
    bar = max((BAR_IMAGENET, BAR_CIFAR), key=lambda family: len({*family} & {*labels}))
    families = {"common": COMMON, "extra": EXTRA, "bar": bar}
    known = {label for family in families.values() for label in family}
    families["other"] = tuple(label for label in labels if label not in known)
    present = {family: names for family, names in families.items() if {*names} & {*labels}}
    result = []
    for family, names in present.items():
        wanted = product((labels.get(each, each) for each in names), SEVERITIES)
        cells = tuple(cell for cell in found.cells if _place(cell[0], found) in names)
        missing = tuple(cell for cell in wanted if cell not in cells)
        result.append(Part(name if len(present) == 1 else f"{name}-{family}", family, cells, missing))
    return result


def conditions_of(found: CorruptedSet, part: Part, name: str, size: tuple[int, int]) -> dict[str, Any]:
    """Return what figures of a part must not be compared without, as plain values."""
    made = found.provenance or {}
    layout = type(found).__name__
    conditions = {
        "set": name,
        "source": _words(layout),
        "preset": "+".join(_recorded(made, part, "presets")) or "as published",
        "size": f"{size[0]}×{size[1]}",
        "evaluation_seed": made.get("seed", "as published"),
        "storage": made.get("storage", "as published"),
        "frost": _frost(made, part),
        "masks": "as published",
        "cells": f"{len(part.cells)} of {len(part.cells) + len(part.missing)}",
    }
    if part.missing:
        conditions["missing"] = _missing(part)
    if part.family == "common" and {"frost", "frost_procedural"} <= {*found.names}:
        conditions["left_out"] = "frost_procedural, as frost is there"
    if made:
        conditions["made_from"] = " ".join(str(made[key]) for key in ("source", "split") if key in made)
    return {key: value for key, value in conditions.items() if value is not None}


def why_not_mce_of(found: CorruptedSet, part: Part, size: tuple[int, int], *, transformed: bool) -> str | None:
    """Return why the figure of a part is not mCE, or None where it is."""
    if part.family != "common":
        return "its corruptions are not the 15 common ones"
    if transformed:
        return "the images went through transforms after they had been corrupted"
    made = found.provenance
    wordnet = isinstance(found, ClassFolders) and has_wordnet_names(found.class_names)
    presets = ["imagenet"] if made is None else _recorded(made, part, "presets")
    return why_not_mce(
        dataset="imagenet" if wordnet else found.path.name,
        num_classes=found.num_classes or 0,
        preset="+".join(presets),
        size=size,
        cells=[key_of(cell) for cell in part.cells],
        storage="jpeg85" if made is None else made.get("storage"),
        reference_frost="frost" in found.names,
    )


def _place(label: str, found: CorruptedSet) -> str:
    """Return the published name that a label stands for in a set: no other one beside that name itself."""
    name = published_name(label)
    return label if name in found.names else name


def _missing(part: Part) -> str:
    """Name what is missing: a corruption that is not there at all once, others with their severities."""
    there = {label for label, _ in part.cells}
    titles = dict.fromkeys(f"{label} {severity}" if label in there else label for label, severity in part.missing)
    return ", ".join([*titles][:_SHOWN]) + (", …" if len(titles) > _SHOWN else "")


def _recorded(made: Mapping[str, Any], part: Part, key: str) -> list[str]:
    """Return the different values that the record of the part's cells has, sorted."""
    cells = [cell for cell in made.get("cells", ()) if (cell["corruption"], cell["severity"]) in part.cells]
    return sorted({str(value) for cell in cells for value in _many(cell.get(key))})


def _many(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _frost(made: Mapping[str, Any], part: Part) -> str | None:
    """Return where the frost of a part is from; None where it has none."""
    labels = {label for label, _ in part.cells if published_name(label) == "frost"}
    if not labels:
        return None
    return "+".join(_recorded(made, part, "frost")) or ("procedural" if "frost" not in labels else "as published")


def _words(name: str) -> str:
    """Return the layout of a class.

    Example:
        >>> _words("ClassFolders")
        'class_folders'
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
