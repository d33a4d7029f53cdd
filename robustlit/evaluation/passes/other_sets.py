"""Opening another data set for a model: a folder, an .npz file, or a data module."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit.data.errors import DataError

if TYPE_CHECKING:
    from robustlit.data.base import VisionDataModule
    from robustlit.data.samples import Samples

__all__ = ["OtherSet", "open_other"]


@dataclass(frozen=True)
class OtherSet:
    """The images of another data set.

    Args:
        name: What it is called.
        samples: Its images, by split.
        class_names: Its classes; their numbers where they have no names.
        transforms: What happens to its images, in words.
    """

    name: str
    samples: "dict[str, Samples]"
    class_names: tuple[str, ...]
    transforms: str


def open_other(
    data: Any,
    datamodule: "VisionDataModule",
    name: str | None = None,
    splits: Sequence[str] | None = None,
    transforms: Sequence[Any] | None = None,
) -> OtherSet:
    """Open a data set for single-label classification beside that of a model.

    Args:
        data: A folder of class folders, an ``.npz`` file, or a data module.
        datamodule: Of the model; a folder or a file gets its evaluation transforms and number of channels.
        name: What the set is called; None for its file or class.
        splits: Which of its splits; None for its test splits, else the validation split, else all images.
        transforms: Other evaluation transforms.

    Raises:
        DataError: If there is nothing, or its task or channels are not the model's.
        TypeError: If it is none of these.
    """
    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.splits import use_splits, use_whole

    if isinstance(data, str | Path):
        other, words = _from_path(Path(data), datamodule, transforms), "of the data"
        name = name or Path(data).resolve().stem
    elif isinstance(data, VisionDataModule):
        other, words = data, "its own"
        name = name or type(data).__name__
        if transforms is not None:
            other.eval_transforms = tuple(transforms)
    else:
        raise TypeError(f"expected a path or a data module, got {type(data).__name__}; try data=FOLDER")
    other.prepare_data()
    other.setup("fit")
    use_whole(other)
    use_splits(other, splits)
    if other.task != "classification" or datamodule.task != "classification":
        wrong = other.task if datamodule.task == "classification" else f"a model for {datamodule.task}"
        raise DataError(f"expected single-label classification in {name}, got {wrong}; try another data set")
    if other.channels != datamodule.channels:
        raise DataError(
            f"expected images of {datamodule.channels} channels in {name}, got {other.channels}; try a folder of "
            "files, which are converted"
        )
    return OtherSet(
        name,
        other.test_sets,
        other.class_names or tuple(map(str, range(other.num_classes))),
        words if transforms is None else "given",
    )


def _from_path(path: Path, datamodule: "VisionDataModule", transforms: Sequence[Any] | None) -> "VisionDataModule":
    from robustlit.data import ImageFolder, Npz

    settings: Any = {
        "eval_transforms": datamodule.eval_transforms if transforms is None else transforms,
        "on_bad_image": datamodule.on_bad_image,
    }
    if path.suffix == ".npz":
        return Npz(path, **settings)
    if not path.is_dir():
        raise DataError(f"expected a folder or an .npz file at {path}, got nothing there; try another data")
    return ImageFolder(path, channels=datamodule.channels, **settings)
