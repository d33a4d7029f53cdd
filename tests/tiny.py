"""Tiny modules and data for tests; none of them knows of robustlit."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class ForeignModule(pl.LightningModule):
    """Somebody else's classifier: tuple batches, no normalisation, GroupNorm, dropout off by default."""

    def __init__(self, dropout: float = 0.0, norm: str = "group", lr: float = 0.1) -> None:
        super().__init__()
        layer = nn.GroupNorm(2, 8) if norm == "group" else nn.BatchNorm2d(8)
        self.network = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), layer, nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(8 * 64, 4)
        )
        self.lr = lr

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        images, targets = batch[0], batch[1]
        return F.cross_entropy(self(images), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


class DictModule(ForeignModule):
    """The same over dict batches."""

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(self(batch["image"]), batch["target"])}


class Samples(Dataset):
    """Random 8×8 images with labels, as tuples, lists or dicts with an index."""

    def __init__(self, count: int = 32, kind: str = "tuple") -> None:
        generator = torch.Generator().manual_seed(1)
        self.images = torch.rand(count, 3, 8, 8, generator=generator)
        self.targets = torch.randint(4, (count,), generator=generator)
        self.kind = kind

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> Any:
        image, target = self.images[index], self.targets[index]
        if self.kind == "dict":
            return {"image": image, "target": target, "index": torch.tensor(index)}
        return [image, target] if self.kind == "list" else (image, target)


def loader(kind: str = "tuple", batch_size: int = 8, count: int = 32) -> DataLoader:
    return DataLoader(Samples(count, kind), batch_size=batch_size, shuffle=False)


def trainer(callbacks: list[pl.Callback], **options: Any) -> pl.Trainer:
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler")
    defaults = {"accelerator": "cpu", "devices": 1, "max_epochs": 2} | dict.fromkeys(quiet, False)
    return pl.Trainer(callbacks=callbacks, **{**defaults, **options})


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).clone()
