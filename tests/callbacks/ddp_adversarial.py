"""Fits one epoch with an adversarial evaluation in one or two processes and saves the figures; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, images
from torch.utils.data import DataLoader

from robustlit.attacks import FGSM, PGD
from robustlit.callbacks import AdversarialEvaluation

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    out, processes = sys.argv[1], int(sys.argv[2])
    module = Foreign()
    module.net[1] = torch.nn.Identity()  # BatchNorm's statistics depend on how the training batches are shared out
    with torch.no_grad():  # answers that differ
        features = module.eval().net[:-1](images(37, 16).tensors[0]).mean(0)
        module.net[-1].bias.copy_(-module.net[-1].weight @ features)
    module.configure_optimizers = lambda: torch.optim.SGD(module.parameters(), lr=0.0)
    callback = AdversarialEvaluation(
        [FGSM(eps=0.004), PGD(eps=0.004, steps=3)], images=21, eps_curve=[0.002], pictures=False, batch_size=3
    )
    trainer = pl.Trainer(
        callbacks=[callback],
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    # 37 samples over two processes: Lightning's own sampler repeats one
    trainer.fit(module, DataLoader(images(36, 16), batch_size=6), DataLoader(images(37, 16), batch_size=5))
    wanted = ("robust/", "alarm/")
    figures = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith(wanted)}
    if trainer.is_global_zero:
        torch.save(figures, out)
