"""Runs the tests on other sets, cue conflicts, backgrounds and shifts in one or two processes; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytorch_lightning as pl
import torch
from torch import nn

from robustlit.data import ShapesDataModule
from robustlit.evaluation import BackgroundTest, ShapeBiasTest, ShiftTest, TransferTest
from robustlit.models import small_cnn
from robustlit.modules import ClassificationModule, SegmentationModule

SIZES = {"train_size": 8, "val_size": 8, "test_size": 23, "image_size": 32, "batch_size": 4, "num_workers": 0}


def shapes(folder, **settings):
    data = ShapesDataModule(cache_dir=folder, **SIZES, **settings)
    data.prepare_data()
    data.setup("fit")
    data.test_sets = {name: data.test_sets[name] for name in ("iid", "cue_conflict")}
    return data


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, processes, cache = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    trainer = pl.Trainer(
        logger=False,
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    torch.manual_seed(0)
    data = shapes(cache)
    module = ClassificationModule(small_cnn(num_classes=10, width=4), num_classes=10)
    tests = [
        TransferTest(shapes(cache), {"square": ["disc", "square"], "star": "star", "heart": "heart"}, name="mapped"),
        ShapeBiasTest(),
        BackgroundTest(images=17),
        ShiftTest([1], images=17),
    ]
    rows, records = [], []
    for test in tests:
        rows += test.run(module, data, trainer)
        records += test.records
    masks = shapes(cache, task="segmentation")
    pixels = SegmentationModule(nn.Conv2d(3, 11, 3, padding=1), num_classes=11)
    for test in (ShiftTest([1, 2]), BackgroundTest()):
        rows += test.run(pixels, masks, trainer)
    if trainer.is_global_zero:
        figures = [(row.test, row.split, row.metric, row.value, row.low, row.high, row.n) for row in rows]
        pictures = [(one.name, one.data["caption"]) for one in records if one.kind == "picture"]
        torch.save({"figures": figures, "pictures": pictures}, out)
