"""Runs the adversarial tests in one or two processes and saves their rows; run by a test."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytorch_lightning as pl
import torch
from torch import nn

from robustlit.attacks import APGD, CosPGD
from robustlit.data import ShapesDataModule
from robustlit.evaluation import AdversarialTest, AutoAttackTest, CorruptionTest
from robustlit.evaluation.attacked.auto_attack_run import find_spec
from robustlit.modules import SegmentationModule
from tests.evaluation.adversarial_sets import arrays, trained


def masks(folder):
    sizes = {"train_size": 8, "val_size": 8, "test_size": 9, "image_size": 32}
    data = ShapesDataModule(task="segmentation", cache_dir=folder, batch_size=2, num_workers=0, **sizes)
    data.prepare_data()
    data.setup("fit")
    data.test_sets = {"iid": data.test_sets["iid"]}
    torch.manual_seed(0)
    return SegmentationModule(nn.Conv2d(3, data.num_classes, 3, padding=1), num_classes=data.num_classes), data


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, processes = sys.argv[1], int(sys.argv[2])
    trainer = pl.Trainer(
        logger=False,
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    rows, records = [], []
    with tempfile.TemporaryDirectory() as folder:
        module, data = trained(4), arrays(Path(folder) / "set.npz", 4, 21)
        others = {"apgd": APGD(eps=0.02, steps=3)}
        tests = [AdversarialTest(eps=(0.01, 0.02), steps=3, attacks=others, images=17)]
        if find_spec("pyautoattack") is not None:
            tests.append(AutoAttackTest(eps=0.3, images=9, batch_size=4))
        tests.append(CorruptionTest(["extra"], severities=[3]))
        for test in tests:
            rows += test.run(module, data, trainer)
            records += test.records
        others = {"cos_pgd": CosPGD(eps=0.02, steps=2)}
        rows += AdversarialTest(eps=(0.02,), steps=2, attacks=others, images=None).run(*masks(Path(folder)), trainer)
    if trainer.is_global_zero:
        figures = [(row.test, row.metric, row.value, row.low, row.high, row.n) for row in rows]
        outcomes = [
            (one.test, {k: v.tolist() for k, v in one.data.items()}) for one in records if one.kind == "outcomes"
        ]
        torch.save((figures, outcomes), out)
