"""Images and labels in one ``.npz`` file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from robustlit.data.arrays import ArrayDataModule, ImageArray
from robustlit.data.base import DataSettings
from robustlit.data.errors import DataError

__all__ = ["Npz", "read_npz"]


class Npz(ArrayDataModule):
    """Any ``.npz`` file with the arrays ``x_train y_train x_test y_test``, or with MedMNIST's names.

    MedMNIST's are ``train_images train_labels val_images val_labels test_images test_labels`` (Yang et al., "MedMNIST
    v2", Scientific Data 2023). Labels of shape N×K with K > 1 make the task multi-label. Without a validation split,
    one is split off.

    Args:
        path: The file.
        num_classes: Number of classes; None for what the labels show.
        class_names: Their names; None for "0", "1", …
        settings: See :class:`~robustlit.data.base.VisionDataModule`.

    Raises:
        DataError: If the file or its arrays are missing or do not fit.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        **settings: Unpack[DataSettings],
    ) -> None:
        super().__init__(num_classes=num_classes, class_names=class_names, **settings)
        self.path = Path(path)

    def load_arrays(self) -> dict[str, ImageArray]:
        """Read the file."""
        return read_npz(self.path)


def read_npz(path: Path) -> dict[str, ImageArray]:
    """Read the splits that an ``.npz`` file has.

    Returns:
        The arrays of "train" and, where the file has them, "val" and "test".

    Raises:
        DataError: If the file is missing or broken, or has no training arrays.
    """
    if not path.is_file():
        raise DataError(f"expected an .npz file at {path}, got nothing there; try another path")
    try:
        with np.load(path) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # NumPy raises errors of many kinds for broken archives
        raise DataError(f"expected an .npz archive in {path}, got {str(error)!r}; try writing it anew") from error
    splits = {}
    for split in ("train", "val", "test"):
        for images, labels in ((f"x_{split}", f"y_{split}"), (f"{split}_images", f"{split}_labels")):
            if images in arrays and labels in arrays:
                splits[split] = ImageArray(arrays[images], arrays[labels], f"{path} {images}")
    if "train" not in splits:
        raise DataError(
            f"expected arrays x_train and y_train, or train_images and train_labels, in {path}, got "
            f"{', '.join(arrays) or 'none'}; try renaming them"
        )
    return splits
