"""Images whose shape is that of one category and whose texture is that of another."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from robustlit.data.errors import DataError
from robustlit.data.image_files import find_images, read_image

__all__ = ["CueConflictFolder"]

_NAME = re.compile(r"(?P<shape>.+?)\d*-(?P<texture>.+?)\d*")


class CueConflictFolder(Dataset[dict[str, Any]]):
    """The folder layout of Geirhos et al.: a folder for each shape, with files such as ``cat4-truck2.png``.

    The name of a file tells its shape and its texture; where the shape is not the folder's, it is an error.

    Args:
        path: The folder.
        categories: The categories there may be, in the order of their numbers.
        channels: 1 for grey or 3 for colour; files of the other kind are converted.

    Raises:
        DataError: If there are no images, or a name does not tell two of the categories.

    Returns:
        Item i is a dict of ``image`` (uint8 H×W×C), ``target`` (number of the shape) and ``texture`` (likewise).
    """

    def __init__(self, path: str | Path, categories: Sequence[str], channels: int = 3) -> None:
        self.path, self.channels = Path(path), channels
        self.categories = tuple(categories)
        self.images = find_images(self.path)
        self.cues = [self._cues(image) for image in self.images]
        self.targets = [shape for shape, _ in self.cues]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        shape, texture = self.cues[index]
        return {"image": read_image(self.images[index], self.channels), "target": shape, "texture": texture}

    def describe(self, index: int) -> str:
        """Return the file."""
        return str(self.images[index])

    def _cues(self, image: Path) -> tuple[int, int]:
        match = _NAME.fullmatch(image.stem)
        shape, texture = (match["shape"], match["texture"]) if match else ("", "")
        known = {name: number for number, name in enumerate(self.categories)}
        if shape not in known or texture not in known or image.parent.name not in (shape, self.path.name):
            raise DataError(
                f"expected a file shape1-texture2.png of two of the categories {', '.join(self.categories[:3])}, … in "
                f"the folder of its shape, got {image}; try renaming it"
            )
        return known[shape], known[texture]
