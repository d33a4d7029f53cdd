"""A split as the DataLoader reads it: source item, check, seeded geometric transforms."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from torch.utils.data import Dataset, Subset

from robustlit.core.random import mix
from robustlit.data.errors import DataError, UnreadableImageError
from robustlit.data.sampling import Key
from robustlit.data.stream import Stream

__all__ = ["Samples", "Task", "describer"]

# Importing albumentations asks the network for its newest version. Set here and not at our own import of it below:
# whoever builds transforms, by hand or by Hydra, has imported it by then, but this module first.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

Task = Literal["classification", "multilabel", "segmentation"]


class Samples(Dataset[dict[str, Any]]):
    """One split: reads items of a source, checks them and applies albumentations with a seed for every sample.

    The transforms of a sample depend on (seed, epoch, index) only: not on the worker, the batch or what came before.

    Args:
        source: Its items are dicts with ``image`` (H×W×C uint8 or uint16), ``target`` and extras. An array of the
            image's height and width (a mask) is transformed with it. A ``Subset`` keeps the indices of its whole.
        transforms: albumentations transforms, applied in order.
        seed: Seed of the transforms.
        task: What the target is: a class index, a K-vector of 0 and 1, or an H×W mask of class indices.
        num_classes: Number of classes; targets are checked against it.
        channels: Number of channels every image must have.
        ignore_index: Value of mask pixels that count for nothing.

    Raises:
        DataError: If an item does not fit; the message names the item and what was expected.
    """

    def __init__(
        self,
        source: Dataset[dict[str, Any]],
        transforms: Sequence[Any] = (),
        *,
        seed: int,
        task: Task,
        num_classes: int,
        channels: int,
        ignore_index: int | None = None,
    ) -> None:
        self.source, self.indices = _unwrap(source)
        self.describe = describer(self.source)
        self.seed, self.stream = mix(seed, "transforms"), Stream()
        self.task, self.num_classes = task, num_classes
        self.channels, self.ignore_index = channels, ignore_index
        self.compose = _compose(transforms)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        position, epoch = key if isinstance(key, tuple) else (key, 0)
        index = self.indices[position]
        item = {**self._read(index), "index": index}
        self._check(item)
        if self.compose is not None:
            try:
                self._transform(item, epoch)
            except Exception as error:  # albumentations has its own, for instance of a crop larger than the image
                raise DataError(
                    f"expected transforms that fit {self.describe(index)}, got {_line(error)!r}; "
                    "try a Resize or PadIfNeeded before them"
                ) from error
        return item

    def _read(self, index: int) -> dict[str, Any]:
        try:
            item: dict[str, Any] = self.source[index]
        except OSError as error:  # of a user's own data set; ours name the file themselves
            raise UnreadableImageError(
                f"expected {self.describe(index)} to be readable, got {_line(error)!r}; try another path"
            ) from error
        return item

    def _transform(self, item: dict[str, Any], epoch: int) -> None:
        self.stream.restart(mix(self.seed, epoch, item["index"]))
        # One stream for the whole chain. Compose.set_random_seed would give every transform the same numbers, so that
        # a horizontal and a vertical flip always happen together.
        self.compose.set_random_state(self.stream.numbers, self.stream)
        size = item["image"].shape[:2]
        masks = [key for key, value in item.items() if isinstance(value, np.ndarray) and value.shape == size]
        if not masks:
            item["image"] = self.compose(image=item["image"])["image"]
            return
        out = self.compose(image=item["image"], masks=[item[key] for key in masks])
        item.update(zip(masks, out["masks"], strict=True), image=out["image"])

    def _check(self, item: dict[str, Any]) -> None:
        image, target = item["image"], item["target"]
        if image.ndim != 3 or image.shape[2] != self.channels:
            name = self.describe(item["index"])
            raise DataError(f"expected {name} as height×width×{self.channels}, got {image.shape}; try channels=…")
        if self.task == "classification":
            if not 0 <= target < self.num_classes:
                raise self._out_of_range(item["index"], int(target))
        elif self.task == "multilabel":
            if len(target) != self.num_classes:
                raise DataError(
                    f"expected {self.num_classes} labels for {self.describe(item['index'])}, got {len(target)}; "
                    "try num_classes=…"
                )
        else:
            self._check_mask(item["index"], image, target)

    def _check_mask(self, index: int, image: np.ndarray, mask: np.ndarray) -> None:
        if mask.shape != image.shape[:2]:
            raise DataError(
                f"expected image and mask of one size for {self.describe(index)}, got {image.shape[:2]} and "
                f"{mask.shape}; try resizing one of them"
            )
        wrong = (mask >= self.num_classes) | (mask < 0)
        if self.ignore_index is not None:
            wrong &= mask != self.ignore_index
        if wrong.any():
            raise self._out_of_range(index, int(mask[wrong][0]))

    def _out_of_range(self, index: int, value: int) -> DataError:
        known = f"0 … {self.num_classes - 1}"
        hint = f"try num_classes={value + 1}" if value >= 0 else "try labels that start at 0"
        if self.task == "segmentation":
            known += f" or ignore_index={self.ignore_index}"
            # Two classes and a 255 are most often a mask of black and white.
            hint = "try data.mask_values=[0,255]" if (self.num_classes, value) == (2, 255) else hint
            hint += f" or ignore_index={value}"
        return DataError(f"expected class indices {known} in {self.describe(index)}, got {value}; {hint}")


def describer(source: Any) -> Callable[[int], str]:
    """Return a function that names an item: the source's own ``describe``, or "sample 7"."""
    own: Callable[[int], str] | None = getattr(source, "describe", None)
    return own or "sample {}".format


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _unwrap(source: Any) -> tuple[Any, Sequence[int]]:
    indices: Sequence[int] = range(len(source))
    while isinstance(source, Subset):
        indices = [source.indices[i] for i in indices]
        source = source.dataset
    return source, indices


def _compose(transforms: Sequence[Any]) -> Any:
    if not transforms:
        return None
    import albumentations

    return albumentations.Compose(list(transforms))
