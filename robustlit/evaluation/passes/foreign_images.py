"""Images of another source, whatever their classes: a folder of files or a data module."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit.data.errors import DataError

if TYPE_CHECKING:
    from robustlit.data.base import VisionDataModule
    from robustlit.data.samples import Samples

__all__ = ["open_images"]


def open_images(data: Any, datamodule: "VisionDataModule", size: tuple[int, int]) -> "Samples":
    """Open images that a model is to be shown, with no regard to what they are of.

    Args:
        data: A folder with image files at any depth, which get the data's evaluation transforms and then its size; or
            a data module, of which the first test split is taken, else the validation split, else all images.
        datamodule: Of the model.
        size: Height and width of the model's images.

    Raises:
        DataError: If the folder is missing or empty.
        TypeError: If it is neither.
    """
    from robustlit.data.base import VisionDataModule

    if isinstance(data, str | Path):
        return _folder(Path(data), datamodule, size)
    if not isinstance(data, VisionDataModule):
        raise TypeError(f"expected a folder or a data module, got {type(data).__name__}; try against={{name: FOLDER}}")
    from robustlit.evaluation.splits import use_splits, use_whole

    data.prepare_data()
    data.setup("fit")
    use_whole(data)
    use_splits(data)
    if not data.test_sets:
        raise DataError(f"expected a split to test on in {type(data).__name__}, got none; try val_fraction=0.1")
    return next(iter(data.test_sets.values()))


def _folder(folder: Path, datamodule: "VisionDataModule", size: tuple[int, int]) -> "Samples":
    from albumentations import Resize

    from robustlit.data.image_files import ImageFiles, find_images
    from robustlit.data.samples import Samples

    files = find_images(folder, "against")
    transforms = [*datamodule.eval_transforms, Resize(height=size[0], width=size[1], interpolation=3)]  # 3: area
    source = ImageFiles(files, [0] * len(files), datamodule.channels)
    return Samples(source, transforms, seed=0, task="classification", num_classes=1, channels=datamodule.channels)
