"""The shapes data set in batches."""

from pathlib import Path
from typing import Unpack

from robustlit.core.names import unknown_name
from robustlit.data.base import DataSettings, Splits, VisionDataModule
from robustlit.data.shapes.dataset import BACKGROUND_NAMES, SHAPE_NAMES, TASKS, TEXTURE_NAMES, ShapesDataset

__all__ = ["ShapesDataModule"]


class ShapesDataModule(VisionDataModule):
    """Shapes, textures and backgrounds with tests that tell which of them a model looks at; no download.

    The tests are ``iid`` (as in training), ``uncorrelated`` (texture and background tell nothing) and ``cue_conflict``
    (the texture is always that of another class). A batch also carries ``texture`` and ``background`` (int64 N) and
    ``mask`` (N×H×W, 1 on the object) or, for segmentation, ``shape`` (int64 N).

    Args:
        train_size: Number of training pictures.
        val_size: Number of validation pictures, distributed as in training.
        test_size: Number of pictures in each of the three tests.
        image_size: Side of a picture in pixels.
        texture_correlation: How often texture and shape agree in training, in [0, 1]; up to 0.1 is chance.
        background_correlation: The same for the background.
        task: "classification" or "segmentation", where class 0 is the background and class 1 + k shape k.
        data_seed: Seed of the data set itself, apart from ``seed``, so that it stays the same over runs.
        cache_dir: Folder of the cached pictures; None for the user's cache folder.
        settings: The keywords of :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        ValueError: If an option is out of range or names nothing.
    """

    channels = 3
    default_mean = (0.46, 0.46, 0.46)  # measured over 3,000 pictures
    default_std = (0.15, 0.14, 0.17)
    texture_names = TEXTURE_NAMES
    background_names = BACKGROUND_NAMES

    def __init__(
        self,
        *,
        train_size: int = 6000,
        val_size: int = 1000,
        test_size: int = 1000,
        image_size: int = 64,
        texture_correlation: float = 0.95,
        background_correlation: float = 0.0,
        task: str = "classification",
        data_seed: int = 0,
        cache_dir: str | Path | None = None,
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(**settings)
        if task not in TASKS:
            raise unknown_name("task of the shapes data set", task, TASKS)
        self.train_size, self.val_size, self.test_size = train_size, val_size, test_size
        self.image_size, self.data_seed, self.cache_dir = image_size, data_seed, cache_dir
        self.texture_correlation, self.background_correlation = texture_correlation, background_correlation
        self.task = "segmentation" if task == "segmentation" else "classification"
        self.class_names = ("background", *SHAPE_NAMES) if task == "segmentation" else SHAPE_NAMES
        self.num_classes = len(self.class_names)

    def load(self) -> Splits:
        """Draw the splits, or read them from the cache."""
        return Splits(
            train=self._split("train", self.train_size),
            val=self._split("val", self.val_size),
            tests={name: self._split(name, self.test_size) for name in ("iid", "uncorrelated", "cue_conflict")},
        )

    def _split(self, name: str, count: int) -> ShapesDataset:
        return ShapesDataset(
            name,
            count,
            image_size=self.image_size,
            seed=self.data_seed,
            texture_correlation=self.texture_correlation,
            background_correlation=self.background_correlation,
            task=self.task,
            cache_dir=self.cache_dir,
        )
