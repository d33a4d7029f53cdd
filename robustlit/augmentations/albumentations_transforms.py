"""The augmentations as albumentations transforms: one image at a time, with the draws of the batched operations.

``operation.to_albumentations()`` makes them. A call draws one seed from albumentations' generator, and the operation
does the rest; so a seed is all that a replay needs, and ``operation(images, seeds)`` with the same seed is the same
picture. The transform's ``p`` is the operation's.

An operation that reads other samples of a batch reads the images under ``partners`` (uint8 or float32, any size), as
albumentations' own FDA has its references: ``transform(image=a, partners=[b, c])``. Where masks are read too (CutMix,
regions of class masks) they are dicts of ``image`` and ``mask``. To read back what ``to_dict`` gave, import this module
first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import albumentations
import numpy as np
import torch
from albumentations.core.transforms_interface import BasicTransform
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from robustlit.augmentations.base import AugmentationOp
from robustlit.augmentations.settings import plain_settings, rebuilt
from robustlit.core.random import mix

__all__ = ["DualOperation", "ImageOperation", "transform_of"]

Picture = NDArray[Any]
_PARTNERS = "partners"


class _Single(BasicTransform):
    """What both kinds of transform share: the operation, its seed, and the way from arrays to tensors and back."""

    class InitSchema(BasicTransform.InitSchema):  # type: ignore[name-defined, misc]
        operation: str
        settings: dict[str, Any] = Field(default_factory=dict)

    def __init__(self, operation: str, settings: dict[str, Any], p: float = 1.0) -> None:
        super().__init__(p=p)
        self.operation, self.settings = operation, settings
        self._op: AugmentationOp = rebuilt(operation, {**settings, "p": 1.0})
        self.resembles = self._op.resembles
        self._data: Mapping[str, Any] = {}

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw the seed, for images and masks alike.

        Raises:
            ValueError: If the operation needs masks or partners that the data have not.
        """
        op = self._op
        reads_masks = op.needs_masks or (op.changes_targets and op.needs_partners)  # CutMix: a label would be wrong
        for key in [*(["mask"] if reads_masks else []), *([_PARTNERS] if op.needs_partners else [])]:
            if data.get(key) is None or len(data[key]) == 0:
                raise ValueError(f"expected {key} beside the image for {self.operation}, got none; try {key}=…")
        others = data[_PARTNERS] if op.needs_partners else ()
        if reads_masks and not all(isinstance(each, Mapping) and "mask" in each for each in others):
            raise ValueError(
                f"expected partners with masks for {self.operation}, got images alone; "
                "try partners=[{'image': …, 'mask': …}]"
            )
        return {"seed": mix(self.py_random.getrandbits(63))}

    def apply_with_params(self, params: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Apply a seed; masks and partners are read from the data, in a replay too."""
        self._data = kwargs
        try:
            return super().apply_with_params(params, *args, **kwargs)  # type: ignore[no-any-return]
        finally:
            self._data = {}

    def apply(self, img: Picture, seed: int = 0, **params: Any) -> Picture:
        """Change an image H×W×C or H×W, uint8 or float32."""
        pixels, seeds = self._batch(_to_pixels(img)), self._seeds(seed)
        masks = self._masks() if self._op.needs_masks else None
        drawn = self._op.sample(pixels.shape, seeds)
        alone = replace(drawn, chosen=drawn.chosen & (torch.arange(len(seeds)) == 0))  # the partners stay as they are
        return _from_pixels(self._op.apply(pixels, alone, masks)[0], img)

    def _seeds(self, seed: int) -> Tensor:
        """One seed for the image, and any for the partners."""
        return torch.tensor([seed, *(mix(seed, place) for place in range(len(self._partners())))])

    def _partners(self) -> Sequence[Any]:
        return self._data.get(_PARTNERS, ()) if self._op.needs_partners else ()

    def _batch(self, pixels: Tensor) -> Tensor:
        """Put the partners behind the image, in its size."""
        others = [_to_pixels(each["image"] if isinstance(each, Mapping) else each) for each in self._partners()]
        size = (pixels.shape[2], pixels.shape[3])
        fitted = [F.interpolate(each, size, mode="bilinear", antialias=True) for each in others]
        return torch.cat([pixels, *fitted])

    def _masks(self) -> Tensor:
        """Return the masks of the image and its partners, int64 N×H×W."""
        mask = torch.from_numpy(np.array(self._data["mask"], np.int64))
        own = mask.view(1, 1, *mask.shape[:2])
        others = [each["mask"] for each in self._partners() if isinstance(each, Mapping)]
        fitted = [torch.from_numpy(np.array(each, np.float32)).view(1, 1, *each.shape[:2]) for each in others]
        size = (own.shape[2], own.shape[3])
        return torch.cat([own, *(F.interpolate(each, size, mode="nearest-exact").long() for each in fitted)])[:, 0]


class ImageOperation(_Single, albumentations.ImageOnlyTransform):  # type: ignore[misc]
    """An operation that leaves masks as they are, bit for bit.

    Args:
        operation: Name of its class in ``robustlit.augmentations``.
        settings: Its settings, as :func:`robustlit.augmentations.settings.plain_settings` writes them.
        p: Probability that an image is changed.
    """


class DualOperation(_Single, albumentations.DualTransform):  # type: ignore[misc]
    """An operation that moves class masks with their images.

    Args:
        operation: Name of its class in ``robustlit.augmentations``.
        settings: Its settings, as :func:`robustlit.augmentations.settings.plain_settings` writes them.
        p: Probability that an image is changed.
    """

    _targets = (albumentations.core.type_definitions.Targets.IMAGE, albumentations.core.type_definitions.Targets.MASK)

    def apply_to_mask(self, mask: Picture, seed: int = 0, **params: Any) -> Picture:
        """Move a class mask H×W or H×W×1 as its image."""
        masks = self._masks()
        shape = torch.Size((len(masks), 3, *masks.shape[1:]))
        drawn = self._op.sample(shape, self._seeds(seed))
        changed = self._op.change_targets(masks, drawn, 0)[0]
        return changed.numpy().astype(mask.dtype).reshape(mask.shape)


def transform_of(operation: AugmentationOp) -> BasicTransform:
    """Return the transform of an operation, see :meth:`AugmentationOp.to_albumentations`.

    Raises:
        ValueError: If its labels would have to change, or a setting cannot be written to a file.
    """
    name = type(operation).__name__
    settings = plain_settings(operation)
    if name == "MixUp" or settings.get("label_gamma") is not None:
        raise ValueError(
            f"expected an operation that leaves class labels as they are, got {name}, which mixes them; "
            "try the callback Augmentation"
        )
    p = settings.pop("p", 1.0)
    settings.pop("jsd_weight", None)
    kind = DualOperation if operation.changes_targets else ImageOperation
    return kind(operation=name, settings=settings, p=p)


def _to_pixels(image: Picture) -> Tensor:
    """Turn an image H×W×C or H×W into float32 1×C×H×W in [0, 1]."""
    array = torch.from_numpy(np.ascontiguousarray(image))
    array = array[None] if array.ndim == 2 else array.permute(2, 0, 1)
    return array[None].float() / 255 if image.dtype == np.uint8 else array[None].float()


def _from_pixels(pixels: Tensor, image: Picture) -> Picture:
    """Turn float32 C×H×W into what the image was."""
    array = pixels[0] if image.ndim == 2 else pixels.permute(1, 2, 0)
    if image.dtype == np.uint8:
        array = array.mul(255).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(array.numpy()).astype(image.dtype, copy=False)
