"""Trains the tiny module in two processes with AdversarialTraining and saves its weights; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from adversarial_training_helpers import ATTACK, WIDE
from torch.utils.data import DataLoader

from robustlit.callbacks import AdversarialTraining
from robustlit.methods import AWP
from tests.tiny import DictModule, Samples, trainer, weights


class HalfBatches(torch.utils.data.Sampler):
    """Of every 16 samples in order, those of this process."""

    def __iter__(self):
        rank = torch.distributed.get_rank()
        return iter([i for start in range(0, 32, 16) for i in range(start + rank, start + 16, 2)])

    def __len__(self) -> int:
        return 16


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = {}
    for method, awp in (("at", None), ("trades", None), ("trades", AWP(gamma=0.05))):
        torch.manual_seed(3)
        module = DictModule()
        batches = DataLoader(Samples(32, "dict"), batch_size=8, sampler=HalfBatches())
        callback = AdversarialTraining(ATTACK, WIDE.get(method, method), awp, seed=11)
        run = trainer([callback], devices=2, strategy="ddp", max_epochs=1)
        run.fit(module, batches)
        trained[method, awp is not None] = weights(module)
    if run.is_global_zero:
        torch.save(trained, sys.argv[1])
