"""Validates in two processes, the second without a single batch, and saves the confusion counts; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, board, images
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from robustlit.callbacks import ConfusionPanel, PredictionPanels, Throughput, confusion


class WithoutBatchNorm(Foreign):
    """DDP itself joins the processes at every batch of a module with buffers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


class FirstProcessOnly(IterableDataset):
    """All images in the first process, none in the others; a stream has no length, so Lightning cannot know."""

    def __iter__(self):
        return iter(images() if torch.distributed.get_rank() == 0 else [])


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    folder = Path(sys.argv[1])
    draw = confusion.confusion_panel

    def save_and_draw(counts, *arguments):
        torch.save(counts, folder / "counts.pt")
        return draw(counts, *arguments)

    confusion.confusion_panel = save_and_draw
    run = pl.Trainer(
        default_root_dir=folder,
        callbacks=[ConfusionPanel(), Throughput(), PredictionPanels()],
        logger=board(folder),
        max_epochs=1,
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    run.fit(WithoutBatchNorm(), DataLoader(images(), batch_size=4), DataLoader(FirstProcessOnly(), batch_size=4))
