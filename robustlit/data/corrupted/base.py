"""What every corrupted set on disk is: cells, a data set for each, and what is missing."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from torch.utils.data import Dataset

from robustlit.corruptions import BAR_CIFAR, BAR_IMAGENET, COMMON, EXTRA
from robustlit.corruptions.severity import SEVERITIES
from robustlit.data.corrupted.provenance import finished_cells, read_provenance
from robustlit.data.errors import DataError
from robustlit.data.samples import Task, describer

__all__ = ["CellKey", "CorruptedSet"]

CellKey: TypeAlias = tuple[str, int | None]
_ORDER = {name: place for place, name in enumerate(dict.fromkeys((*COMMON, *EXTRA, *BAR_IMAGENET, *BAR_CIFAR)))}
_SHOWN = 5  # missing cells named in a line


class CorruptedSet(ABC):
    """A data set in several cells: a corruption at a severity, or a condition such as night that has none.

    The same images, corrupted otherwise, make up every cell of a benchmark; sets of real conditions (ACDC) have others
    in each.

    Args:
        path: The folder.
        cells: The cells found in it.

    Attributes:
        cells: What can be read, in the order of the published tables, own names last.
        provenance: The content of ``provenance.json`` where ``robustlit corrupt`` wrote the set, else None.
        task: What the targets are.
        class_names: In the order of the class indices; empty where the layout has no names.
        num_classes: Their number; None where the layout cannot tell.
        ignore_index: Mask value of pixels that count for nothing.

    Raises:
        DataError: If there is no cell, or none that was finished.
    """

    task: Task = "classification"
    class_names: tuple[str, ...] = ()
    num_classes: int | None = None
    ignore_index: int | None = None

    def __init__(self, path: Path, cells: Iterable[CellKey]) -> None:
        self.path = path
        self.provenance = read_provenance(path)
        found = sorted(cells, key=_published_order)
        known = None if self.provenance is None else finished_cells(self.provenance)
        self.cells = tuple(cell for cell in found if known is None or cell in known)
        self.unfinished = tuple(cell for cell in found if cell not in self.cells)
        if not self.cells:
            state = (
                "only unfinished ones; try its 'robustlit corrupt' line again" if found else "none; try another path"
            )
            raise DataError(f"expected corruptions in {path}, got {state}")

    @property
    def names(self) -> tuple[str, ...]:
        """The corruptions or conditions, without severities."""
        return tuple(dict.fromkeys(name for name, _ in self.cells))

    def dataset(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """Return one cell: items are dicts with ``image`` (H×W×C uint8), ``target`` and ``index``.

        Args:
            cell: One of ``cells``.

        Raises:
            DataError: If there is no such cell, or its files are not those of the other cells.
        """
        if cell not in self.cells:
            near = get_close_matches(_title(cell), map(_title, self.cells), n=1, cutoff=0)[0]
            raise DataError(f"expected a cell of {self.path}, got {_title(cell)!r}; try {near!r}")
        return _Numbered(self.read(cell))

    @abstractmethod
    def read(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """Return the images and targets of a cell that is there."""

    def missing(self, names: Sequence[str] | None = None, severities: Sequence[int] = SEVERITIES) -> list[CellKey]:
        """Return the cells that are not there.

        Args:
            names: Corruptions that ought to be there; None for those that are there at some severity.
            severities: The severities each ought to have; conditions that have none need none.
        """
        plain = {name for name, severity in self.cells if severity is None}
        wanted: list[CellKey] = []
        for name in names if names is not None else self.names:
            wanted += [(name, None)] if name in plain else [(name, severity) for severity in severities]
        return [cell for cell in wanted if cell not in self.cells]

    def require(self, names: Sequence[str] | None = None, severities: Sequence[int] = SEVERITIES) -> None:
        """Raise unless every cell is there, so that no mean is taken over fewer.

        Raises:
            DataError: With the cells that are missing.
        """
        missing = self.missing(names, severities)
        if missing:
            raise DataError(
                f"expected every cell in {self.path}, got all but {_listed(missing)}; try completing the set"
            )

    @property
    def problems(self) -> tuple[str, ...]:
        """What is incomplete, a line each; nothing where the set is whole."""
        lines = []
        if self.unfinished:
            lines.append(f"{self.path}: unfinished and left out: {_listed(self.unfinished)}")
        missing = [cell for cell in self.missing() if cell not in self.unfinished]
        if missing:
            lines.append(f"{self.path}: missing {_listed(missing)}")
        for title, family in _families(self.names):
            absent = [name for name in family if name not in self.names]
            if 0 < len(absent) < len(family):
                count = len(family) - len(absent)
                lines.append(f"{self.path}: {count} of the {len(family)} {title} corruptions, without {_some(absent)}")
        return tuple(lines)

    def check_classes(self, num_classes: int) -> None:
        """Raise unless a model of this many classes fits.

        Raises:
            DataError: If the set has other classes.
        """
        if self.num_classes is not None and self.num_classes != num_classes:
            raise DataError(
                f"expected {num_classes} classes in {self.path}, got {self.num_classes}; try a set of the same classes"
            )


class _Numbered(Dataset[dict[str, Any]]):
    """A cell whose items carry their index, as those of the data modules do."""

    def __init__(self, source: Dataset[dict[str, Any]]) -> None:
        self.source = source
        self.describe = describer(source)

    def __len__(self) -> int:
        return len(self.source)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.source[index], "index": index}


def _published_order(cell: CellKey) -> tuple[int, str, int]:
    name, severity = cell
    return (_ORDER.get(name, len(_ORDER)), name, severity or 0)


def _families(names: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The published families; of the two C-bar ones, which share names, the one that fits better."""
    bar = max((BAR_IMAGENET, BAR_CIFAR), key=lambda family: len({*family} & {*names}))
    return [("common", COMMON), ("extra", EXTRA), ("C-bar", bar)]


def _title(cell: CellKey) -> str:
    name, severity = cell
    return name if severity is None else f"{name} {severity}"


def _listed(cells: Sequence[CellKey]) -> str:
    return f"{len(cells)} cell{'s' * (len(cells) > 1)} ({_some([_title(cell) for cell in cells])})"


def _some(titles: Sequence[str]) -> str:
    return ", ".join(titles[:_SHOWN]) + (", …" if len(titles) > _SHOWN else "")
