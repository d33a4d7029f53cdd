"""The embedded data set: shapes filled with textures over backgrounds, drawn here, nothing to download."""

from robustlit.data.shapes.datamodule import ShapesDataModule
from robustlit.data.shapes.dataset import BACKGROUND_NAMES, SHAPE_NAMES, SPLITS, TEXTURE_NAMES, ShapesDataset

__all__ = ["BACKGROUND_NAMES", "SHAPE_NAMES", "SPLITS", "TEXTURE_NAMES", "ShapesDataModule", "ShapesDataset"]
