"""Two processes under Lightning: evaluation counts every sample once, and a BatchNorm does not make it hang."""

import pytorch_lightning as pl
import torch

from tests.data.tiny_data import RampData


class Counting(pl.LightningModule):
    """Collects the indices it is shown, over all processes, in a file of rank 0."""

    def __init__(self, path):
        super().__init__()
        self.path, self.seen = path, {"train": [], "test": []}
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.norm = torch.nn.BatchNorm2d(
            1, affine=False
        )  # DDP broadcasts its buffers in every forward, evaluation included

    def training_step(self, batch, batch_idx):
        self.seen["train"].append(batch["index"].tolist())
        return self.weight * batch["image"].mean()

    def test_step(self, batch, batch_idx, dataloader_idx=0):
        self.seen["test"].append((dataloader_idx, batch["index"].tolist()))

    def on_train_end(self):
        self._save("train")

    def on_test_end(self):
        self._save("test")

    def _save(self, stage):
        gathered = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(gathered, self.seen[stage])
        if self.global_rank == 0:
            torch.save(gathered, self.path / f"{stage}.pt")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_two_processes_share_training_and_repeat_no_evaluation(tmp_path):
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        devices=2,
        strategy="ddp_fork",
        limit_val_batches=0,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module, data = Counting(tmp_path), RampData(batch_size=2, val_fraction=0)
    trainer.fit(module, data)
    trainer.test(module, data, verbose=False)

    alone = RampData(batch_size=4, val_fraction=0)
    alone.setup()
    whole = [sorted(batch["index"].tolist()) for batch in alone.train_dataloader()]
    train = torch.load(tmp_path / "train.pt")
    assert [sorted(a + b) for a, b in zip(*train, strict=True)] == whole

    test = torch.load(tmp_path / "test.pt")
    for number, size in enumerate((7, 5)):  # 4 + 3 and 3 + 2 samples
        seen = sorted(i for rank in test for loader, indices in rank if loader == number for i in indices)
        assert seen == list(range(size))
    assert [len(rank) for rank in test] == [4, 4]
