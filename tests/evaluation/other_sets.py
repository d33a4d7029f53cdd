"""Hand-made sets and models whose answers are known from the pictures themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from robustlit.data import ImageFolder
from robustlit.modules import ClassificationModule

SIZE = 8


class ByRed(nn.Module):
    """Says class k of a picture whose red is k, surer the more green it has: logits N×K."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        red, green = images[:, 0].mean((1, 2)) * 255, images[:, 1].mean((1, 2))
        classes = torch.arange(self.num_classes, device=images.device)
        return -(red[:, None] - classes).abs() * (0.02 + 0.1 * green[:, None]) + 0 * self.unused


def by_red(num_classes: int) -> ClassificationModule:
    return ClassificationModule(ByRed(num_classes), num_classes=num_classes, mean=[0.0] * 3, std=[1.0] * 3).eval()


def picture(file: Path, red: int, green: int = 128) -> None:
    """Write a picture of one colour."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = red, green
    Image.fromarray(pixels).save(file)


def folder(root: Path, classes: dict[str, list[int]], **settings: Any) -> ImageFolder:
    """Write a folder of class folders with a picture for each red, and open it."""
    for name, reds in classes.items():
        for number, red in enumerate(reds):
            picture(root / name / f"{number}.png", red)
    return opened(ImageFolder(root, num_workers=0, val_fraction=0.0, batch_size=3, **settings))


def opened(data: Any) -> Any:
    from robustlit.evaluation.splits import use_splits, use_whole

    data.prepare_data()
    data.setup("fit")
    use_whole(data)
    use_splits(data)
    return data


def values(rows: Any) -> dict[str, float]:
    return {row.metric: row.value for row in rows}
