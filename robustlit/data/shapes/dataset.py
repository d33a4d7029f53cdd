"""The shapes data set: procedural pictures whose truth is known, for showing which cue a model uses."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from robustlit.core.names import lookup, unknown_name
from robustlit.core.random import mix
from robustlit.data.shapes.backgrounds import BACKGROUNDS
from robustlit.data.shapes.cache import cached_records, default_cache_dir
from robustlit.data.shapes.render import VERSION, Content, render
from robustlit.data.shapes.silhouettes import SHAPES
from robustlit.data.shapes.textures import TEXTURES

__all__ = ["BACKGROUND_NAMES", "SHAPE_NAMES", "SPLITS", "TASKS", "TEXTURE_NAMES", "ShapesDataset"]

SHAPE_NAMES = tuple(SHAPES)
TEXTURE_NAMES = tuple(TEXTURES)
BACKGROUND_NAMES = tuple(BACKGROUNDS)
TASKS = ("classification", "segmentation")

_CLASSES = len(SHAPE_NAMES)
_CHANCE = 1 / _CLASSES


@dataclass(frozen=True)
class _Split:
    """Which scenes a split shows, and how often cue and class agree in it: None is as the options say."""

    scenes: str
    texture: float | None = None
    background: float | None = None


#: The three tests show the same scenes, so that a model can be compared on pairs of pictures.
SPLITS = {
    "train": _Split("train"),
    "val": _Split("val"),
    "iid": _Split("test"),
    "uncorrelated": _Split("test", texture=_CHANCE, background=_CHANCE),
    "cue_conflict": _Split("test", texture=0.0, background=_CHANCE),
}


class ShapesDataset(Dataset[dict[str, Any]]):
    """One split of the shapes data set: a shape, filled with a texture, over a background.

    The class is the shape. Texture family k and background family k are the partners of shape class k; the two
    correlations say how often a picture shows them together, and so how far a model gets by looking at the wrong cue.
    Sample i depends on the seed, the split and i only: it is the same for any count, order or process. Class i % 10
    makes every split balanced. Pictures are drawn once and kept in a cache file.

    Args:
        split: ``train``, ``val`` and ``iid`` follow the two correlations; in ``uncorrelated`` texture and background
            are independent of the shape; in ``cue_conflict`` the texture is always that of another class. The three
            tests (all but train and val) show the same scenes: picture i has the same shape, place, colours and light.
        count: How many pictures, at least 1.
        image_size: Side of a picture in pixels, from 16 to 1024.
        seed: Seed of the data set; another seed is another data set.
        texture_correlation: How often the texture is the partner of the shape, in [0, 1]; otherwise it is one of the
            other nine. Up to 0.1, which is chance, texture and shape are independent.
        background_correlation: The same for the background.
        task: ``classification`` (the target is the shape) or ``segmentation`` (the target is a mask: 0 is background,
            1 + k is shape k).
        cache_dir: Folder of the cache file; by default ``robustlit/shapes`` in the user's cache folder.

    Returns:
        Item i is a dict of ``image`` (uint8, H×W×3), ``target``, ``texture`` and ``background`` (int); for
        classification also ``mask`` (uint8, H×W, 1 on the object), for segmentation also ``shape`` (int).

    Raises:
        ValueError: If an option is out of range or names nothing.
        IndexError: If an item does not exist.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> data = ShapesDataset("cue_conflict", 20, image_size=32, cache_dir=folder.name)
        >>> data[13]["image"].shape, SHAPE_NAMES[data[13]["target"]], data[13]["texture"] == data[13]["target"]
        ((32, 32, 3), 'star', False)
    """

    def __init__(
        self,
        split: str,
        count: int,
        *,
        image_size: int = 64,
        seed: int = 0,
        texture_correlation: float = 0.95,
        background_correlation: float = 0.0,
        task: str = "classification",
        cache_dir: str | Path | None = None,
    ) -> None:
        rule = lookup("split of the shapes data set", split, SPLITS)
        if task not in TASKS:
            raise unknown_name("task of the shapes data set", task, TASKS)
        _check_integer("image_size", image_size, 16, 1024)
        _check_integer("count", count, 1, 10_000_000)
        _check_rate("texture_correlation", texture_correlation)
        _check_rate("background_correlation", background_correlation)
        self.split, self.count, self.image_size, self.seed, self.task = split, count, image_size, seed, task
        self.cache_dir = Path(cache_dir) if cache_dir is not None else default_cache_dir()
        self._scenes = rule.scenes
        self._texture_rate = max(texture_correlation, _CHANCE) if rule.texture is None else rule.texture
        self._background_rate = max(background_correlation, _CHANCE) if rule.background is None else rule.background
        self._open()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.count:
            raise IndexError(f"expected an index from 0 to {self.count - 1}, got {index}")
        record = self.records[index]
        shape, mask = int(record["shape"]), record["mask"].copy()
        item = {
            "image": record["image"].copy(),
            "texture": int(record["texture"]),
            "background": int(record["background"]),
        }
        if self.task == "segmentation":
            return item | {"target": mask * np.uint8(1 + shape), "shape": shape}
        return item | {"target": shape, "mask": mask}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "records"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()

    def content(self, index: int) -> Content:
        """Return what picture ``index`` shows."""
        shape, seed = index % _CLASSES, self._sample_seed(index)
        return Content(
            shape=shape,
            texture=_cue(shape, self._texture_rate, mix(seed, "texture")),
            background=_cue(shape, self._background_rate, mix(seed, "background")),
        )

    def _sample_seed(self, index: int) -> int:
        return mix(self.seed, "shapes", self._scenes, index)

    def _open(self) -> None:
        size = self.image_size
        fields = [("image", "u1", (size, size, 3)), ("mask", "u1", (size, size))]
        dtype = np.dtype([*fields, ("shape", "u1"), ("texture", "u1"), ("background", "u1")])
        options = (VERSION, self._scenes, self.count, size, self.seed, self._texture_rate, self._background_rate)
        name = f"{self.split}-{hashlib.blake2b(repr(options).encode(), digest_size=8).hexdigest()}.npy"
        title = f"Drawing {self.count:,} shapes ({self.split})"
        #: Every picture with its truth: a structured array of image, mask, shape, texture and background.
        self.records = cached_records(self.cache_dir / name, self.count, dtype, self._make, title)

    def _make(self, index: int) -> tuple[Any, ...]:
        content = self.content(index)
        image, mask = render(content, self._sample_seed(index), self.image_size)
        return image, mask, content.shape, content.texture, content.background


def _cue(shape: int, rate: float, seed: int) -> int:
    """Draw the index of a texture or background: the shape's partner at ``rate``, else one of the others."""
    if mix(seed, "agree") / 2**63 < rate:
        return shape
    return (shape + 1 + mix(seed, "other") % (_CLASSES - 1)) % _CLASSES


def _check_integer(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(
            f"expected {name} as an integer from {low} to {high}, got {value!r}; try {name}={max(low, 64)}"
        )


def _check_rate(name: str, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"expected {name} as a share from 0 to 1, got {value!r}; try {name}=0.95")
