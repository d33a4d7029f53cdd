"""What is to be written, and how it is recorded."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from robustlit import __version__
from robustlit.core.random import sample_seeds
from robustlit.corruptions import Corruption, corrupt
from robustlit.corruptions.presets import choose_preset
from robustlit.corruptions.weather.frost import Frost

__all__ = ["Plan", "StorageFormat"]

StorageFormat = Literal["npy", "png", "jpeg85"]


@dataclass(frozen=True)
class Plan:
    """Which corruptions are written and how.

    Args:
        corruptions: Each is written under its ``label``, which is its published name where its pixels are too.
        severities: 1 to 5.
        preset: "imagenet", "tiny", "cifar", or "auto" by the size of each image.
        seed: Draws depend on it, the corruption, the severity and the image's place in sorted order.
        storage: "npy" for arrays, "png" or "jpeg85" (quality 85, as ImageNet-C is stored) for files; None for what is
            published: npy for arrays, jpeg85 for files.
        batch_size: Images corrupted at a time.
        resize: Length in pixels that the shorter side of files is resized to before; None to leave them.
        crop: Side in pixels of the square cut from their middle after that; None to leave them.

    Raises:
        ValueError: If a severity or a preset means nothing for a corruption, or a label is there twice.
    """

    corruptions: tuple[Corruption, ...]
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    preset: str = "auto"
    seed: int = 0
    storage: StorageFormat | None = None
    batch_size: int = 64
    resize: int | None = None
    crop: int | None = None

    def __post_init__(self) -> None:
        labels = [corruption.label for corruption in self.corruptions]
        if len(set(labels)) < len(labels) or len(set(self.severities)) < len(self.severities) or not labels:
            raise ValueError(
                f"expected different corruptions and severities, got {labels} at {list(self.severities)}; try each once"
            )
        for name in ("batch_size", "resize", "crop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"expected {name} from 1, got {value}; try 64")
        for corruption in self.corruptions:
            preset = choose_preset(self.preset, 224, 224, corruption.presets())
            for severity in self.severities:
                corruption.level(preset, severity)

    @property
    def cells(self) -> list[tuple[Corruption, int]]:
        """Every corruption at every severity."""
        return [(corruption, severity) for corruption in self.corruptions for severity in self.severities]

    def apply(self, images: Tensor, indices: Tensor, corruption: Corruption, severity: int) -> Tensor:
        """Corrupt uint8 images N×C×H×W with the draws of their indices."""
        return corrupt(images, corruption, severity, preset=self.preset, seed=sample_seeds(self.seed, indices))

    def rehearse(self, image: np.ndarray) -> None:
        """Apply every corruption to one H×W×C image, so that what cannot work fails before anything is written."""
        images = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
        for corruption in self.corruptions:
            self.apply(images, torch.tensor([0]), corruption, self.severities[0])

    def made(self, source: dict[str, Any], storage: StorageFormat) -> dict[str, Any]:
        """Return what must be the same for all that goes into one folder."""
        return {
            "robustlit": __version__,
            "torch": torch.__version__.partition("+")[0],
            **source,
            "preset": self.preset,
            "seed": self.seed,
            "storage": storage,
            "resize": self.resize,
            "crop": self.crop,
        }

    def cell(self, corruption: Corruption, severity: int, images: int, sizes: set[tuple[int, int]]) -> dict[str, Any]:
        """Return the record of a cell that is whole; ``sizes`` are the heights and widths of its images."""
        presets = sorted({choose_preset(self.preset, *size, corruption.presets()) for size in sizes})
        frost = {"frost": corruption.source} if isinstance(corruption, Frost) else {}
        return {"corruption": corruption.label, "severity": severity, "images": images, "presets": presets, **frost}
