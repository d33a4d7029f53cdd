"""Does the data pipeline keep up with training? The same steps on loaded batches and on batches already in memory.

    python scripts/bench/data_pipeline.py PATH/cifar10.npz [--steps 3] [--rounds 16] [--batch-size 128] [--workers auto]

Each network trains for some steps on batches from the CIFAR-10 DataModule with the transforms of conf/data/cifar10.yaml
(A), then for as many on the same batches kept in memory (B), in turns A B A B, so that a change in the machine's load
meets both. The ratio is the median of those of neighbouring turns, with the first and third quartile: 1.00 means that
loading costs nothing. On a noisy machine many short turns tell more than a few long ones.
"""

import argparse
import time
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import albumentations
import torch
from torch.nn import functional as F

from robustlit.data import CIFAR10
from robustlit.models import resnet18, small_cnn

NETWORKS = {
    "resnet18": lambda: resnet18(num_classes=10, stem="cifar"),
    "small_cnn": lambda: small_cnn(num_classes=10, stride=1),
}


def main():
    options = parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = CIFAR10(
        options.path,
        batch_size=options.batch_size,
        num_workers=options.workers if options.workers == "auto" else int(options.workers),
        train_transforms=[albumentations.Pad(4), albumentations.RandomCrop(32, 32), albumentations.HorizontalFlip()],
    )
    data.setup()
    print(f"{device}, {torch.get_num_threads()} threads, {data.num_workers} workers, batches of {options.batch_size}")
    print(f"loading alone: {1e6 * seconds_a_sample(data, options.steps):.0f} µs a sample")
    for name, build in NETWORKS.items():
        compare(name, build().to(device), data, options, device)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the .npz file of CIFAR-10")
    parser.add_argument("--steps", type=int, default=3, help="training steps a turn")
    parser.add_argument("--rounds", type=int, default=16, help="turns on each kind of batches")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--workers", default="auto", help="loader processes")
    return parser.parse_args()


def seconds_a_sample(data, steps):
    batches = endless(data)
    next(batches)
    start = time.perf_counter()
    samples = sum(len(next(batches)["target"]) for _ in range(steps))
    return (time.perf_counter() - start) / samples


def endless(data):
    """Batches of the training loader, epoch after epoch."""
    loader = data.train_dataloader()
    for epoch in count():
        loader.batch_sampler.set_epoch(epoch)
        yield from loader


def compare(name, network, data, options, device):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loaded = endless(data)
    kept = [next(loaded) for _ in range(options.steps)]
    speeds = {"loaded": [], "in memory": []}
    train(network, optimizer, data, iter(kept), min(3, options.steps), device)  # warm up
    for _ in range(options.rounds):
        for kind, batches in (("loaded", loaded), ("in memory", iter(kept))):
            speeds[kind].append(train(network, optimizer, data, batches, options.steps, device))
    a, b = median(speeds["loaded"]), median(speeds["in memory"])
    low, ratio, high = quantiles((one / other for one, other in zip(*speeds.values(), strict=True)), n=4)
    print(f"{name}: {a:.0f} images/s loaded, {b:.0f} in memory, ratio {ratio:.3f} ({low:.3f} to {high:.3f})")


def train(network, optimizer, data, batches, steps, device):
    """Train and return images a second."""
    start, images = time.perf_counter(), 0
    for _ in range(steps):
        batch = {key: value.to(device, non_blocking=True) for key, value in next(batches).items()}
        batch = data.on_after_batch_transfer(batch, 0)
        loss = F.cross_entropy(network(batch["image"]), batch["target"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        images += len(batch["target"])
    if device.type == "cuda":
        torch.cuda.synchronize()
    return images / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
