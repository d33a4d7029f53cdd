"""ImageNet-C and its like: ``<corruption>/<severity>/<class>/<image>``."""

from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from robustlit.data.corrupted.base import CellKey
from robustlit.data.corrupted.severity_folders import SeverityFolders, subfolders
from robustlit.data.errors import DataError
from robustlit.data.image_files import ImageFiles

__all__ = ["ClassFolders"]


class ClassFolders(SeverityFolders):
    """ImageNet-C, Tiny-ImageNet-C (Hendrycks and Dietterich 2019), ImageNet-C-bar (Mintun et al. 2021).

    Classes are the folders' names, sorted: for ImageNet the WordNet identifiers, in the usual order of its classes.

    Args:
        path: The folder; corruptions may be grouped in ``blur/``, ``digital/``, … as in the published archives.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.

    Raises:
        DataError: If there are no such folders or no classes in them.
    """

    def __init__(self, path: str | Path, channels: int = 3) -> None:
        super().__init__(path, channels)
        self.class_names = self._classes(self.cells[0])
        self.num_classes = len(self.class_names)

    def read(self, cell: CellKey) -> Dataset[dict[str, Any]]:
        """List the files of a cell."""
        root, names = self.folders[cell], self._classes(cell)
        if names != self.class_names:
            odd = min({*names} ^ {*self.class_names})
            raise DataError(
                f"expected the {self.num_classes} classes of {self.folders[self.cells[0]]} in {root}, got {len(names)} "
                f"with {odd!r} being in one only; try completing the set"
            )
        number = {name: index for index, name in enumerate(names)}
        files = [file for file in self.files(cell) if len(file.relative_to(root).parts) > 1]
        return ImageFiles(files, [number[file.relative_to(root).parts[0]] for file in files], self.channels)

    def _classes(self, cell: CellKey) -> tuple[str, ...]:
        names = tuple(folder.name for folder in subfolders(self.folders[cell]))
        if not names:
            raise DataError(
                f"expected a folder for each class in {self.folders[cell]}, got none; try masks=… for segmentation"
            )
        return names
