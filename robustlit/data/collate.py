"""From samples to a batch: arrays are stacked as they are; images become float only on the device."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from robustlit.data.errors import DataError

__all__ = ["Collate", "to_batch", "to_pixels"]


class Collate:
    """Stack samples into a batch of tensors; images stay uint8 or uint16, now N×C×H×W.

    Args:
        describe: Names a sample by its source index ("train/cat/1.png"), for errors.

    Raises:
        DataError: If two samples differ in size or number type; the message names both.
    """

    def __init__(self, describe: Callable[[int], str]) -> None:
        self.describe = describe

    def __call__(self, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the batch of the samples."""
        self._check_same(samples)
        batch = {key: _stack([sample[key] for sample in samples]) for key in samples[0] if key != "image"}
        images = np.stack([sample["image"] for sample in samples]).transpose(0, 3, 1, 2)
        return {"image": torch.from_numpy(np.ascontiguousarray(images)), **batch}

    def _check_same(self, samples: Sequence[Mapping[str, Any]]) -> None:
        first = samples[0]
        for other in samples[1:]:
            if other["image"].shape != first["image"].shape:
                hint = "try a Resize or a crop with pad_if_needed=True at the end of the transforms"
            elif other["image"].dtype != first["image"].dtype:
                hint = "try converting the files to one bit depth"
            else:
                continue
            raise DataError(
                f"expected images of one size and type, got {self._name(first)} and {self._name(other)}; {hint}"
            )

    def _name(self, sample: Mapping[str, Any]) -> str:
        height, width, channels = sample["image"].shape
        return f"{self.describe(sample['index'])} ({height}×{width}×{channels}, {sample['image'].dtype})"


def to_pixels(images: Tensor) -> Tensor:
    """Return images as float32 in [0, 1]: uint8 divided by 255, uint16 by 65,535, float as it is.

    Example:
        >>> to_pixels(torch.tensor([0, 51, 255], dtype=torch.uint8))
        tensor([0.0000, 0.2000, 1.0000])
    """
    if images.is_floating_point():
        return images.float()
    return images.float().div_(65535.0 if images.dtype == torch.uint16 else 255.0)


def to_batch(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch as training code expects it: ``image`` in [0, 1], integer ``target`` as int64."""
    target = batch["target"]
    return {
        **batch,
        "image": to_pixels(batch["image"]),
        "target": target if target.is_floating_point() else target.long(),
    }


def _stack(values: Sequence[Any]) -> Any:
    if isinstance(values[0], str):
        return list(values)
    if isinstance(values[0], np.ndarray):
        return torch.from_numpy(np.stack(values))
    return torch.tensor(values)
