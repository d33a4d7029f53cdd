"""What the tests of `robustlit evaluate` cost beside the forward and backward passes they cannot do without.

python scripts/bench/evaluate.py cifar10.npz [--images 64] [--batch 64] [--rounds 3] [--threads 1] [--attack-images 16]

A ResNet-18 with random weights and the channels last in memory, as the command line has it, on real CIFAR-10 test
images: the 75 + 50 cells of the families common and bar (126 passes with the clean images), and PGD with 20 steps (20
passes forward and backward, one for the last images and one for the clean ones). Each is timed in turn with a bare loop
of the same passes in batches of the same size.
"""

import argparse
import statistics
import time
import warnings

import pytorch_lightning as pl
import torch
from torch.nn import functional as F

from robustlit.data import CIFAR10
from robustlit.evaluation import AdversarialTest, CorruptionTest
from robustlit.models import resnet18
from robustlit.modules import ClassificationModule
from robustlit.reports.table import text_table

warnings.filterwarnings("ignore")
CELLS, STEPS = 126, 20


def seconds(work):
    """Wall-clock and CPU seconds of a call."""
    begin = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def tested(test, module, data, accelerator):
    """Run a test as the command line does."""
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    test.run(module, data, trainer)


def forwards(module, batches, count):
    """The forwards alone."""
    with torch.inference_mode():
        for images, _ in batches:
            for _ in range(count):
                module(images)
    _wait(module)


def attacks(module, batches):
    """The forwards and backwards of PGD alone, the last forward and the clean one."""
    module.requires_grad_(False)
    for images, targets in batches:
        for _ in range(STEPS):
            changed = images.clone().requires_grad_()
            torch.autograd.grad(F.cross_entropy(module(changed), targets, reduction="sum"), changed)
        with torch.no_grad():
            module(images)
            module(images)
    module.requires_grad_(True)
    _wait(module)


def measured(work, alone, rounds):
    """A row a round: seconds of both in turn, and their ratio by wall clock and by CPU time."""
    rows = []
    for _ in range(rounds):
        (wall, cpu), (pure_wall, pure_cpu) = seconds(work), seconds(alone)
        rows.append((wall, pure_wall, wall / pure_wall, cpu, pure_cpu, cpu / pure_cpu))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="cifar10.npz")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--attack-images", type=int, default=None)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=("cells", "attack"), default=None)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    accelerator = "gpu" if torch.cuda.is_available() else "cpu"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = resnet18(num_classes=10, stem="cifar")
    module = ClassificationModule(network, num_classes=10, channels_last=True).to(device).eval()
    found, rows = {}, []
    for name in ("cells", "attack") if args.only is None else (args.only,):
        count = args.images if name == "cells" else args.attack_images or args.images
        data = CIFAR10(args.data, eval_batch_size=args.batch, limit_eval=count)
        data.prepare_data()
        data.setup("fit")
        batches = [_batch(data, batch, device) for batch in data.test_dataloader()[0]]
        module.to(device)
        forwards(module, batches[:1], 2)
        if name == "cells":
            test = CorruptionTest(["common", "bar"])
            rounds = measured(
                lambda test=test, data=data: tested(test, module, data, accelerator),
                lambda batches=batches: forwards(module.to(device), batches, CELLS),
                args.rounds,
            )
        else:
            test = AdversarialTest(eps=[8 / 255], steps=STEPS, attacks={}, images=None)
            rounds = measured(
                lambda test=test, data=data: tested(test, module, data, accelerator),
                lambda batches=batches: attacks(module.to(device), batches),
                args.rounds,
            )
        found[name] = rounds
        for number, row in enumerate(rounds):
            rows.append((name, str(count), str(number), *(f"{value:.3f}" for value in row)))
    heads = ("test", "images", "round", "wall s", "passes s", "ratio", "cpu s", "passes cpu s", "cpu ratio")
    print(text_table(heads, rows, [False] + [True] * 8))
    for name, rounds in found.items():
        wall, cpu = (statistics.median(row[place] for row in rounds) for place in (2, 5))
        print(f"{name}: median ratio {wall:.3f} by wall clock, {cpu:.3f} by CPU time (asked for: at most 1.15)")
    if len(found) == 2:
        both = [tuple(map(sum, zip(*pair, strict=True))) for pair in zip(*found.values(), strict=True)]
        wall, cpu = (statistics.median(row[own] / row[own + 1] for row in both) for own in (0, 3))
        print(f"together: median ratio {wall:.3f} by wall clock, {cpu:.3f} by CPU time")


def _batch(data, batch, device):
    batch = data.on_after_batch_transfer({key: value.to(device) for key, value in batch.items()}, 0)
    return batch["image"], batch["target"]


def _wait(module):
    if module.device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
