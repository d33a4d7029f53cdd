"""Train and evaluate a U-Net in some processes and print what was logged; run by test_ddp."""

import functools
import json
import os
import sys

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from robustlit.models import unet
from robustlit.modules import SegmentationModule


def main(world: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images, masks = torch.rand(12, 3, 16, 16), torch.randint(3, (12, 16, 16))
    masks[:, 0] = 255
    data, rank = TensorDataset(images, masks), int(os.environ.get("LOCAL_RANK", "0"))
    module = SegmentationModule(
        unet(num_classes=3, width=4, depth=2, norm="group"),
        num_classes=3,
        ignore_index=255,
        optimizer=functools.partial(torch.optim.SGD, lr=0.05),
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy="ddp" if world > 1 else "auto",
        use_distributed_sampler=False,
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    batches = [list(range(6))[rank::world], list(range(6, 12))[rank::world]]
    held_out = [list(range(11))[rank::world]]  # 11 images: the processes have unequal shares
    trainer.fit(module, DataLoader(data, batch_sampler=batches), DataLoader(data, batch_sampler=held_out))
    if trainer.is_global_zero:
        print(json.dumps({key: value.item() for key, value in trainer.callback_metrics.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
