"""Small models whose attacks can be worked out by hand, and a table of every attack."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.attacks import APGD, FGSM, MIFGSM, PGD, CosPGD, SegPGD, Square

EVERY = [
    FGSM(eps=0.05),
    FGSM(eps=0.05, random_start=True),
    FGSM(eps=0.5, norm="l2", random_start=True),
    FGSM(eps=2.0, norm="l1"),
    PGD(eps=0.05, steps=4),
    PGD(eps=0.5, steps=4, norm="l2"),
    PGD(eps=3.0, steps=4, norm="l1"),
    PGD(eps=0.05, steps=4, loss="dlr", restarts=2, best=True, schedule="halving"),
    PGD(eps=0.05, steps=4, loss="kl", random_start="small", schedule="cosine"),
    PGD(eps=0.05, steps=4, loss="margin", targeted=True),
    MIFGSM(eps=0.05, steps=4),
    MIFGSM(eps=0.5, steps=4, norm="l2", random_start=True),
    APGD(eps=0.05, steps=8),
    APGD(eps=0.5, steps=8, norm="l2", loss="dlr", goals=2),
    SegPGD(eps=0.05, steps=4),
    CosPGD(eps=0.05, steps=4, targeted=True),
    Square(eps=0.05, queries=30),
]
LENGTHS = {"linf": lambda x: x.abs().amax(1), "l2": lambda x: x.norm(dim=1), "l1": lambda x: x.abs().sum(1)}


class Network(nn.Module):
    """A small convolutional classifier with BatchNorm and dropout."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3))
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(6, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.dropout(self.layers(images).mean((2, 3))) * 20)


class Dense(nn.Module):
    """A classifier of every pixel."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, classes, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images) * 20


class Linear(nn.Module):
    """Logits W x of two or more classes; the gradients are rows of W."""

    def __init__(self, weight: Tensor, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.weight, self.shape = weight, shape

    def forward(self, images: Tensor) -> Tensor:
        return F.linear(images.flatten(1), self.weight.to(images.dtype))


def batch(count: int = 8, size: int = 12) -> tuple[Tensor, Tensor]:
    """Images that touch 0 and 1, and classes out of 5."""
    generator = torch.Generator().manual_seed(1)
    images = (torch.rand(count, 3, size, size + 2, generator=generator) * 1.4 - 0.2).clamp(0, 1)
    return images, torch.arange(count) % 5


def masks(count: int = 8, size: int = 12) -> Tensor:
    """Classes of pixels out of 5, with a frame of 255 that does not count."""
    targets = torch.randint(0, 5, (count, size, size + 2), generator=torch.Generator().manual_seed(2))
    targets[:, 0] = targets[:, -1] = 255
    return targets
