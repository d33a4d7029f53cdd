"""Trains in two processes, without and with explanations, and saves what each of them saw; run by a test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from explanation_helpers import everything, trained, watchers

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    for name, callbacks in (("plain", []), ("watched", watchers())):
        trainer, module = trained(folder / name, callbacks, devices=2, strategy="ddp", accumulate_grad_batches=2)
        values, seen, hooks = everything(module)
        torch.save(repr((values.hex(), seen, hooks)), folder / f"{name}_{trainer.global_rank}.pt")
