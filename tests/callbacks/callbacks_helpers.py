"""A LightningModule as a stranger would write it: tuple batches, no adapter, dropout and BatchNorm."""

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Foreign(pl.LightningModule):
    def __init__(self, log_every: int = 1, scores: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
        self.log_every, self.scores = log_every, scores

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.log("train/loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", F.cross_entropy(self(batch[0]), batch[1]))
        if self.scores and (self.current_epoch + 1) % self.log_every == 0:
            self.log("robust/mean", self.scores[self.current_epoch])

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)}


def images(count: int = 12, size: int = 8) -> TensorDataset:
    generator = torch.Generator().manual_seed(0)
    return TensorDataset(torch.rand(count, 3, size, size, generator=generator), torch.arange(count) % 3)


def loader(batch_size: int = 4) -> DataLoader:
    return DataLoader(images(), batch_size=batch_size)


def board(folder) -> TensorBoardLogger:
    return TensorBoardLogger(folder, name="", version="")


def fit(folder, callbacks, *, module=None, epochs=2, ckpt_path=None, data=None, validation=None, **settings):
    """Fit a module (a new Foreign by default) on the CPU and return (trainer, module)."""
    settings = {"logger": False, "enable_checkpointing": True, "log_every_n_steps": 1, "devices": 1, **settings}
    if module is None:
        torch.manual_seed(1)
        module = Foreign()
    trainer = pl.Trainer(
        default_root_dir=folder,
        callbacks=callbacks,
        max_epochs=epochs,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(module, data or loader(), validation or loader(), ckpt_path=ckpt_path)
    return trainer, module


def weights(module) -> torch.Tensor:
    return torch.cat([value.flatten().double() for value in module.state_dict().values()])
