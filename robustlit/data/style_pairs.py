"""Photographs, each with a picture whose style it is to get: what a style decoder is trained on."""

from pathlib import Path
from typing import Any, Unpack, cast

from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from robustlit.core.random import mix
from robustlit.data.base import DataSettings, VisionDataModule
from robustlit.data.collate import to_batch, to_pixels
from robustlit.data.errors import DataError
from robustlit.data.image_files import ImageFiles, find_images
from robustlit.data.samples import Samples
from robustlit.data.sampling import Key
from robustlit.data.split import Splits

__all__ = ["StylePairs"]


class StylePairs(VisionDataModule):
    """Batches of ``image`` (content) and ``style``, both float32 N×3×S×S in [0, 1], from two folders of pictures.

    Every picture is scaled so that its shorter side is ``resize`` pixels, of which a square is cut: at random for
    training, at the centre for validation. The style of a training image is drawn anew in every epoch from (seed,
    epoch, index), that of a validation image stays. The ``target`` is 0 for all.

    Args:
        content: A folder of photographs, at any depth; a seeded share of them is held out.
        style: A folder of pictures, at any depth.
        resize: Shorter side in pixels after scaling; the published decoder had 512.
        crop: Side of the squares in pixels; the published decoder had 256.
        settings: See :class:`~robustlit.data.base.VisionDataModule`; transforms given there come after the cropping,
            of the styles too.

    Raises:
        ValueError: If ``crop`` is larger than ``resize``.
        DataError: If a folder is missing or has no pictures, when they are loaded.
    """

    task = "classification"
    num_classes = 1
    class_names = ("content",)

    def __init__(
        self,
        content: str | Path | None = None,
        style: str | Path | None = None,
        *,
        resize: int = 512,
        crop: int = 256,
        **settings: Unpack[DataSettings],
    ) -> None:
        if not 16 <= crop <= resize:
            raise ValueError(f"expected crop from 16 to resize={resize} pixels, got {crop}; try resize=512 crop=256")
        super().__init__(**settings)
        self.content, self.style = content, style
        self.train_transforms = (*_cropping(resize, crop, at_random=True), *self.train_transforms)
        self.eval_transforms = (*_cropping(resize, crop, at_random=False), *self.eval_transforms)

    def load(self) -> Splits:
        """List the files."""
        self._styles = _files(self.style, "data.style")
        return Splits(_files(self.content, "data.content"), None, {})

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Turn pixels into float32 in [0, 1], on the device."""
        style: Tensor = batch["style"]
        return {**to_batch(batch), "style": to_pixels(style.movedim(3, 1)).contiguous()}

    def _loader(self, samples: Samples, sampler: Sampler[list[Key]]) -> DataLoader[dict[str, Any]]:
        """Put a style beside every content image; the styles are cropped as the content of the same loader is."""
        styles = self._samples(self._styles, None, "", training=samples is self.train_set)
        return super()._loader(cast(Samples, _Pairs(samples, styles)), sampler)


class _Pairs(Dataset[dict[str, Any]]):
    def __init__(self, samples: Samples, styles: Samples) -> None:
        self.samples, self.styles, self.describe = samples, styles, samples.describe

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: Key | int) -> dict[str, Any]:
        position, epoch = key if isinstance(key, tuple) else (key, 0)
        item = self.samples[position, epoch]
        draw = mix(self.styles.seed, "style", epoch, item["index"])
        # the draw stands for the epoch: a style gets another crop wherever it is used
        return {**item, "style": self.styles[draw % len(self.styles), draw]["image"]}


def _files(folder: str | Path | None, setting: str) -> ImageFiles:
    if folder is None:
        raise DataError(f"expected a folder of pictures for {setting}, got none; try {setting}=FOLDER")
    files = find_images(Path(folder), setting)
    return ImageFiles(files, [0] * len(files))


def _cropping(resize: int, crop: int, *, at_random: bool) -> tuple[Any, Any]:
    import albumentations
    import cv2

    scale = albumentations.SmallestMaxSize(resize, interpolation=cv2.INTER_AREA)
    cut = albumentations.RandomCrop if at_random else albumentations.CenterCrop
    return scale, cut(height=crop, width=crop)
