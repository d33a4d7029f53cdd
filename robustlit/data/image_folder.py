"""Pictures in one folder a class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from robustlit.core.names import lookup
from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.errors import DataError
from robustlit.data.groups import read_groups
from robustlit.data.image_files import ImageFiles, find_images
from robustlit.data.split import Splits

__all__ = ["ImageFolder"]


class ImageFolder(VisionDataModule):
    """Classification of image files, where the folder of a file is its class.

    Either ``path`` has ``train`` and perhaps ``val`` and ``test`` folders with a folder for each class in them, or it
    has the class folders itself. Where there is no ``val``, a seeded share of the training files becomes it. Classes
    are the folders' names, sorted, unless they are given: a folder of pictures for a model of more classes may show
    some of them only.

    Args:
        path: The folder.
        class_names: The classes in the order of the model's logits, each the name of a folder, some of which may be
            missing; "imagenet" for the 1,000 WordNet identifiers of ImageNet; None for the folders there are.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.
        groups: A CSV file with a column ``file`` (relative to the training folder) and one for the group; the random
            split then never parts a group.
        group_column: The column of the group, for instance "patient".
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If a folder is missing or empty, or there are groups and a ``val`` folder too.
    """

    task = "classification"

    def __init__(
        self,
        path: str | Path,
        *,
        class_names: Sequence[str] | None = None,
        channels: int = 3,
        groups: str | Path | None = None,
        group_column: str = "group",
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(**settings)
        self.path, self.channels = Path(path), channels
        self._names = _known_names(class_names)
        self.groups, self.group_column = groups, group_column

    def load(self) -> Splits:
        """List the files."""
        has_splits = (self.path / "train").is_dir()
        root = self.path / "train" if has_splits else self.path
        self.class_names = self._names or _class_folders(root)
        self.num_classes = len(self.class_names)
        train = self._files(root, _class_folders(root))
        groups = read_groups(self.groups, self.group_column, train.images, root) if self.groups else None
        val, test = (self._evaluation(name) if has_splits else None for name in ("val", "test"))
        return Splits(train, val, {} if test is None else {"test": test}, groups)

    def _evaluation(self, split: str) -> ImageFiles | None:
        folder = self.path / split
        return self._files(folder, _class_folders(folder)) if folder.is_dir() else None

    def _files(self, root: Path, names: Sequence[str]) -> ImageFiles:
        number = {name: i for i, name in enumerate(self.class_names)}
        files = [
            (path, lookup(f"class in {root}", name, number)) for name in names for path in find_images(root / name)
        ]
        return ImageFiles([path for path, _ in files], [target for _, target in files], self.channels)


def _known_names(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the classes; none where the folders have them."""
    if isinstance(names, str):
        from robustlit.data.imagenet import WNIDS

        return lookup("list of classes", names, {"imagenet": WNIDS})
    given = tuple(map(str, names or ()))
    if len(set(given)) < len(given):
        raise DataError(f"expected every class once, got {len(given) - len(set(given))} twice; try other class_names")
    return given


def _class_folders(root: Path) -> tuple[str, ...]:
    if not root.is_dir():
        raise DataError(f"expected a folder at {root}, got nothing there; try another path")
    names = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise DataError(f"expected a folder for each class in {root}, got none; try another path")
    return tuple(names)
