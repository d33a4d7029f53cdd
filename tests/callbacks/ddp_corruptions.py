"""Validates with a corruption evaluation in one or two processes and saves the figures; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, images
from torch.utils.data import DataLoader

from robustlit.callbacks import CorruptionEvaluation

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    out, processes = sys.argv[1], int(sys.argv[2])
    callback = CorruptionEvaluation(["gaussian_blur"], ["fog", "glass_blur"], images=21, rotate=None, pictures=False)
    trainer = pl.Trainer(
        callbacks=[callback],
        logger=False,
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    # 37 samples over two processes: Lightning's own sampler repeats one
    trainer.validate(Foreign(), DataLoader(images(37, 16), batch_size=5), verbose=False)
    figures = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith("robust/")}
    if trainer.is_global_zero:
        torch.save(figures, out)
