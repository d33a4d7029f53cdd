"""Pictures in ``images/`` and their masks in ``masks/``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.classes import name_classes
from robustlit.data.errors import DataError
from robustlit.data.groups import read_groups
from robustlit.data.image_files import ImageFiles, find_images
from robustlit.data.split import Splits

__all__ = ["MaskFolder"]

_IGNORE = 255  # of pixels that count for nothing, where mask values are turned into class indices


class MaskFolder(VisionDataModule):
    """Segmentation of image files, with a mask file of the same stem for every image.

    Either ``path`` has ``train`` and perhaps ``val`` and ``test`` folders with ``images`` and ``masks`` in them, or it
    has ``images`` and ``masks`` itself. Where there is no ``val``, a seeded share of the training files becomes it.

    Args:
        path: The folder.
        num_classes: Number of classes; may be left out where their names are given.
        class_names: Their names, in the order of the mask values; None for "0", "1", …
        mask_values: The value (0 … 255) of each class in the mask files, for instance [0, 255]; None where the values
            are the class indices.
        ignore_index: The mask value of pixels that count for nothing; None if there is none. With ``mask_values`` these
            pixels become 255, and so does the attribute.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.
        groups: A CSV file with a column ``file`` (relative to the training ``images`` folder) and one for the group;
            the random split then never parts a group.
        group_column: The column of the group, for instance "patient".
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If a folder is missing or empty, an image has no mask, neither classes nor names are given,
            ``mask_values`` do not fit them, or there are groups and a ``val`` folder too.
    """

    task = "segmentation"

    def __init__(
        self,
        path: str | Path,
        *,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        mask_values: Sequence[int] | None = None,
        ignore_index: int | None = None,
        channels: int = 3,
        groups: str | Path | None = None,
        group_column: str = "group",
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(**settings)
        self.path, self.channels, self.ignore_index = Path(path), channels, ignore_index
        self.groups, self.group_column = groups, group_column
        self.class_names = name_classes(num_classes, class_names)
        self.num_classes = len(self.class_names)
        self.mask_values = None
        if mask_values is not None:
            self.mask_values = _table(mask_values, self.num_classes, ignore_index)
            self.ignore_index = None if ignore_index is None else _IGNORE

    def load(self) -> Splits:
        """List the files."""
        has_splits = (self.path / "train").is_dir()
        root = self.path / "train" if has_splits else self.path
        train = self._files(root)
        groups = read_groups(self.groups, self.group_column, train.images, root / "images") if self.groups else None
        val, test = (self._evaluation(name) if has_splits else None for name in ("val", "test"))
        return Splits(train, val, {} if test is None else {"test": test}, groups)

    def _evaluation(self, split: str) -> ImageFiles | None:
        return self._files(self.path / split) if (self.path / split).is_dir() else None

    def _files(self, root: Path) -> ImageFiles:
        images, masks = _by_stem(root / "images"), _by_stem(root / "masks")
        without = [path for stem, path in images.items() if stem not in masks]
        if without:
            raise DataError(
                f"expected a mask for every image in {root}, got none for {len(without)} of {len(images)}, the first "
                f"being {without[0].name}; try giving masks the names of their images"
            )
        return ImageFiles(list(images.values()), [masks[stem] for stem in images], self.channels, self.mask_values)


def _table(values: Sequence[int], num_classes: int, ignored: int | None) -> np.ndarray:
    """Class index of each mask value, -1 for values that are not listed."""
    known = [*values] if ignored is None else [*values, ignored]
    if len(values) != num_classes or len(set(known)) < len(known) or not all(0 <= value <= 255 for value in known):
        raise DataError(
            f"expected {num_classes} different mask_values in 0 … 255, none of them ignore_index, got {list(values)}; "
            "try one value for each class"
        )
    table = np.full(256, -1)
    table[known] = [*range(num_classes), _IGNORE][: len(known)]
    return table


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in find_images(folder):
        first = found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
        if first is not path:
            raise DataError(f"expected files of different stems, got {first} and {path}; try renaming one of them")
    return found
