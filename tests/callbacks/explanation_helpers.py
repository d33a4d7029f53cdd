"""A module with everything that an observer could disturb, and a record of what would show it."""

import random

import numpy as np
import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, board, fit, images, weights
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from robustlit.callbacks import Embeddings, ExplanationPanels

FEW = {"corruptions": ("fog",), "insertion_steps": 2, "max_share": None, "count": 3}


class Delicate(Foreign):
    """Frozen first layer, BatchNorm, ReLU in place, dropout; records losses, and the generators before every step."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Conv2d(4, 5, 3),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, 3),
        )
        self.net[0].requires_grad_(False)
        self.seen: list[object] = []

    def on_train_batch_start(self, batch, batch_idx):
        numbers = np.random.get_state()[1].tobytes()
        self.seen.append((torch.get_rng_state().numpy().tobytes(), random.getstate(), numbers))

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.seen.append(float(outputs["loss"]))

    def test_step(self, batch, batch_idx):
        self.log("test/loss", F.cross_entropy(self(batch[0]), batch[1]))


class Quiet(Delicate):
    """Logs nothing, which torch would compile anew for every hook that logs."""

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self(batch[0])


def data(count=12, size=16):
    return DataLoader(images(count, size), batch_size=4)


def watchers(**options):
    """Everything that explains, as often as it can."""
    panels = ExplanationPanels(("saliency", "guided_backprop", "grad_cam"), every_n_steps=1, **FEW, **options)
    embeddings = Embeddings(every_n_epochs=1, max_share=None, count=3, corruptions=("fog",))
    return [panels, embeddings]


def delicate(kind=Delicate):
    pl.seed_everything(1, verbose=False)
    return kind()


def trained(folder, callbacks, module=None, **settings):
    module = delicate() if module is None else module
    trainer, _ = fit(folder, callbacks, module=module, data=data(), validation=data(), logger=board(folder), **settings)
    return trainer, trainer.lightning_module


def everything(module):
    """Parameters and buffers, what training saw, and what hooks are left."""
    tables = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    hooks = [len(getattr(child, table)) for child in module.modules() for table in tables]
    return weights(module).numpy().tobytes(), module.seen, hooks


def events(folder):
    found = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "tensors": 0})
    found.Reload()
    return found
