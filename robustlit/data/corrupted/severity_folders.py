"""Folders ``<corruption>/<severity>/…``, as ImageNet-C is unpacked: which there are, and the files in them."""

import re
from functools import cached_property
from pathlib import Path

from robustlit.data.corrupted.base import CellKey, CorruptedSet
from robustlit.data.errors import DataError
from robustlit.data.image_files import find_images

__all__ = ["SeverityFolders", "severity_folders", "subfolders"]

_NUMBER = re.compile(r"\d+(\.\d+)?")
_LEVELS = 5
MASKS = "masks"  # beside the corruptions, whatever its folders are called


class SeverityFolders(CorruptedSet):
    """A set in ``<corruption>/<severity>/``, or in ``<group>/<corruption>/<severity>/``.

    Args:
        path: The folder.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.

    Raises:
        DataError: If there are no such folders.
    """

    def __init__(self, path: str | Path, channels: int = 3) -> None:
        self.folders = severity_folders(Path(path))
        self.channels = channels
        super().__init__(Path(path), self.folders)

    def files(self, cell: CellKey) -> list[Path]:
        """Return the image files of a cell, sorted.

        Raises:
            DataError: If the first cell has other images: a mean over both would mix different samples.
        """
        root = self.images(cell)
        found = find_images(root)
        first, expected = self._first
        if root == first:
            return found
        odd = _keys(root, found) ^ expected
        if odd:
            raise DataError(
                f"expected the same images in {root} as in {first}, got {len(found)} instead of {len(expected)}, "
                f"{min(odd)!r} being in one only; try completing the set"
            )
        return found

    def images(self, cell: CellKey) -> Path:
        """Return the folder of a cell's images."""
        return self.folders[cell]

    @cached_property
    def _first(self) -> tuple[Path, set[str]]:
        root = self.images(self.cells[0])
        return root, _keys(root, find_images(root))


def severity_folders(path: Path) -> dict[CellKey, Path]:
    """Find the folder of every cell.

    Severities are folders named 1 to 5; numbers with a point, as C-bar's generator writes them (2.35), are the five
    levels in ascending order.

    Raises:
        DataError: If there is no folder, a severity is not 1 to 5, or a corruption is there twice.
    """
    if not path.is_dir():
        raise DataError(f"expected a folder at {path}, got nothing there; try another path")
    cells: dict[CellKey, Path] = {}
    for entry in (folder for folder in subfolders(path) if folder.name != MASKS):
        if _NUMBER.fullmatch(entry.name):
            raise DataError(f"expected folders named after corruptions in {path}, got {entry.name}; try {path.parent}")
        levels = _severities(entry)
        for name, folders in (
            [(entry.name, levels)] if levels else [(e.name, _severities(e)) for e in subfolders(entry)]
        ):
            for severity, folder in folders.items():
                first = cells.setdefault((name, severity), folder)
                if first is not folder:
                    raise DataError(
                        f"expected one folder for {name} {severity}, got {first} and {folder}; try removing one"
                    )
    return cells


def subfolders(path: Path) -> list[Path]:
    """Return the folders in a folder that are not hidden, sorted by name."""
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _severities(folder: Path) -> dict[int, Path]:
    numbered = [entry for entry in subfolders(folder) if _NUMBER.fullmatch(entry.name)]
    if any("." in entry.name for entry in numbered):
        if len(numbered) != _LEVELS:
            names = ", ".join(entry.name for entry in numbered)
            raise DataError(f"expected five levels in {folder}, got {names}; try naming their folders 1 to 5")
        return dict(enumerate(sorted(numbered, key=lambda entry: float(entry.name)), start=1))
    found = {int(entry.name): entry for entry in numbered}
    wrong = [severity for severity in found if not 1 <= severity <= _LEVELS]
    if wrong:
        raise DataError(f"expected severities 1 to 5 in {folder}, got {wrong[0]}; try another path")
    return found


def _keys(root: Path, files: list[Path]) -> set[str]:
    return {file.relative_to(root).with_suffix("").as_posix() for file in files}
