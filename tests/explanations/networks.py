"""Networks whose maps can be worked out by hand."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Module):
    """Logit k is the sum of weight k times the image, plus a bias."""

    def __init__(self, weight: Tensor, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.full((len(weight),), bias))

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) @ self.weight.flatten(1).T + self.bias


class PixelDetector(nn.Module):
    """Class 1 is the pixel at (row, column) of the first channel, class 0 nothing."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__()
        self.row, self.column = row, column

    def forward(self, images: Tensor) -> Tensor:
        seen = images[:, 0, self.row, self.column]
        return torch.stack((0 * seen, seen), dim=1)


class Pooled(nn.Module):
    """Convolution, ReLU, global mean and a linear layer; ``head`` sees the maps of ``act``."""

    def __init__(self, classes: int = 4, width: int = 6, *, inplace: bool = True, functional: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.Identity() if functional else nn.ReLU(inplace=inplace)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(width, classes)
        self.functional = functional

    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.first(images))
        maps = F.relu(maps) if self.functional else maps
        return self.head(self.drop(self.act(maps).mean((2, 3))))


class Dense(nn.Module):
    """A segmentation whose logits are a 1×1 convolution of the maps of ``features``."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(inplace=True))
        self.head = nn.Conv2d(5, classes, 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"out": self.head(self.features(images))}
