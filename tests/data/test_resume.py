"""A run stopped in mid-epoch and resumed ends with bit-identical weights, with and without workers."""

import albumentations
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F

from tests.data.tiny_data import RampData

pytestmark = [
    pytest.mark.filterwarnings("error:You're resuming from a checkpoint that ended before"),
    pytest.mark.filterwarnings("ignore:The dirpath has changed"),
]


class Net(pl.LightningModule):
    """Batch statistics, momentum and a schedule: whatever is out of step shows in the weights."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch_idx, batch["index"].tolist()))
        return F.cross_entropy(self.net(batch["image"]), batch["target"])

    def validation_step(self, batch, batch_idx):
        self.log("loss", F.cross_entropy(self.net(batch["image"]), batch["target"]))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5), "interval": "epoch"}]


def fit(folder, workers, resume=None, accumulate=1):
    data = RampData(
        batch_size=4,
        num_workers=workers,
        train_transforms=[albumentations.Pad(1), albumentations.RandomCrop(10, 10), albumentations.HorizontalFlip()],
    )
    every_step = ModelCheckpoint(folder / "steps", "{step}", every_n_train_steps=1, save_top_k=-1)
    every_epoch = ModelCheckpoint(folder / "epochs", "{epoch}", every_n_epochs=1, save_top_k=-1)
    module = Net()
    trainer = pl.Trainer(
        max_epochs=3,
        accelerator="cpu",
        accumulate_grad_batches=accumulate,
        callbacks=[every_step, every_epoch],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, data, ckpt_path=resume)
    return module


def assert_same(first, second):
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_weights_are_bit_identical(tmp_path, workers):
    whole = fit(tmp_path / "whole", workers)
    assert len(whole.seen) == 15
    for done in (2, 7) if workers else (1, 3, 7, 9, 14):
        resumed = fit(tmp_path / f"from{done}", workers, tmp_path / "whole" / "steps" / f"step={done}.ckpt")
        assert resumed.seen == whole.seen[done:]
        assert_same(whole, resumed)


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_after_a_whole_epoch(tmp_path, workers):
    whole = fit(tmp_path / "whole", workers)
    resumed = fit(tmp_path / "resumed", workers, tmp_path / "whole" / "epochs" / "epoch=0.ckpt")
    assert resumed.seen == whole.seen[5:]
    assert_same(whole, resumed)


def test_resumed_between_accumulated_batches(tmp_path):
    whole = fit(tmp_path / "whole", 0, accumulate=2)
    resumed = fit(tmp_path / "resumed", 0, tmp_path / "whole" / "steps" / "step=4.ckpt", accumulate=2)
    assert resumed.seen == whole.seen[-len(resumed.seen) :]
    assert 0 < len(resumed.seen) < 15
    assert_same(whole, resumed)


def test_a_second_fit_starts_at_the_first_batch(tmp_path):
    whole = fit(tmp_path / "whole", 0)
    data = RampData()
    data.load_state_dict({"epoch": 1, "batch": 3})
    data.setup("fit")
    sampler = data.train_dataloader().batch_sampler
    assert (sampler.first_epoch, sampler.first_batch) == (0, 0)
    assert whole.seen[0][:2] == (0, 0)
