"""What does PGD-10 cost? Ratios to the ten gradients that it cannot do without, beside other packages.

    python scripts/bench/attacks.py [--rounds 3] [--batch-size 64] [--only fp32,compiled]
    python scripts/bench/attacks.py --device cuda [--rounds 20] [--batch-size 512]

ResNet-18 with the CIFAR stem in eval mode, colour images of 32 pixels, L∞ at 8/255. "limit" is ten forward passes and
gradients for the images with frozen weights, and nothing else: fp32; bfloat16 autocast on channels_last (on a CPU only
where it has avx512_bf16); and fp32 compiled by aot_eager. "step" is one adversarial training step (PGD-10, forward,
backward, SGD) through the AdversarialTraining callback, and its limit ten of those gradients and one training pass.

Everything takes turns within a round, so that a change in the machine's load meets all; the figures are medians over
the rounds of the ratio within a round. On CPU one thread and process time; on CUDA wall time between two waits for the
device. torchattacks 3.5.1, foolbox 3.3.4 and adversarial-robustness-toolbox 1.20.1 take part where they can be
imported. In an environment of their own they do so beside this one's torch: the three with --no-deps, as they pin old
packages, then eagerpy, gitpython, requests, scikit-learn, six and what these need.
"""

import argparse
import importlib.util
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.attacks import PGD, searching
from robustlit.callbacks import AdversarialTraining
from robustlit.core import Pipeline
from robustlit.models import resnet18

EPS, LENGTH, STEPS = 8 / 255, 2 / 255, 10
ATTACK = PGD(eps=EPS, step_size=LENGTH, steps=STEPS)
Work = Callable[[], object]


class Module(pl.LightningModule):
    """The plainest module around a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        return self.network(images)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        return F.cross_entropy(self(batch[0]), batch[1])


def network(device: str) -> nn.Module:
    torch.manual_seed(0)
    return resnet18(num_classes=10, stem="cifar").to(device).eval()


def gradients(model: nn.Module, owner: nn.Module, images: Tensor, targets: Tensor) -> None:
    """Ten times what a step of any attack needs."""
    with searching(owner), torch.enable_grad():
        for _ in range(STEPS):
            points = images.clone().requires_grad_()
            torch.autograd.grad(F.cross_entropy(model(points), targets, reduction="sum"), points)


def has_bfloat16(device: str) -> bool:
    if device != "cpu":
        return torch.cuda.is_bf16_supported()
    cpu = Path("/proc/cpuinfo")
    return cpu.is_file() and "avx512_bf16" in cpu.read_text()


def in_bfloat16(device: str, work: Work) -> Work:
    def run() -> object:
        with torch.autocast(device, dtype=torch.bfloat16, cache_enabled=False):
            return work()

    return run


def contenders(device: str, images: Tensor, targets: Tensor) -> dict[str, tuple[Work, str]]:
    """Return, for every row, what is timed and the row whose time divides it."""
    model, lasting, compiled = network(device), network(device).to(memory_format=torch.channels_last), network(device)
    striped = images.contiguous(memory_format=torch.channels_last)
    traced = torch.compile(compiled, backend="aot_eager")
    rows: dict[str, tuple[Work, str]] = {
        "limit fp32": (lambda: gradients(model, model, images, targets), "limit fp32"),
        "robustlit fp32": (lambda: ATTACK(model, images, targets), "limit fp32"),
        "limit compiled": (lambda: gradients(traced, compiled, images, targets), "limit compiled"),
        "robustlit compiled": (lambda: ATTACK(traced, images, targets), "limit compiled"),
    }
    if has_bfloat16(device):
        half = in_bfloat16(device, lambda: gradients(lasting, lasting, striped, targets))
        rows["limit bf16 channels_last"] = (half, "limit fp32")
        ours = in_bfloat16(device, lambda: ATTACK(lasting, striped, targets))
        rows["robustlit bf16 channels_last"] = (ours, "limit fp32")
    rows |= {name: (work, "limit fp32") for name, work in peers(device, images, targets).items()}
    plain, wrapped = Module(network(device)).train(), Module(network(device)).train()
    callback = AdversarialTraining(ATTACK, seed=0)
    callback.add_stages(Pipeline.join(wrapped, callback))
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9) for module in (plain, wrapped)]

    def limit() -> None:
        gradients(plain, plain, images, targets)
        train(plain, optimizers[0], images, targets)

    rows["limit of a step"] = (limit, "limit of a step")
    rows["robustlit step"] = (lambda: train(wrapped, optimizers[1], images, targets), "limit of a step")
    return rows


def train(module: Module, optimizer: torch.optim.Optimizer, images: Tensor, targets: Tensor) -> None:
    optimizer.zero_grad()
    module.training_step((images, targets), 0).backward()
    optimizer.step()


def peers(device: str, images: Tensor, targets: Tensor) -> dict[str, Work]:
    """Return the same attack by the packages that are there."""
    found: dict[str, Work] = {}
    model = network(device)
    if importlib.util.find_spec("torchattacks"):
        import torchattacks

        attack = torchattacks.PGD(model, eps=EPS, alpha=LENGTH, steps=STEPS)
        found["torchattacks fp32"] = lambda: attack(images, targets)
    if importlib.util.find_spec("foolbox"):
        import foolbox

        wrapped = foolbox.PyTorchModel(network(device), bounds=(0, 1), device=device)
        pgd = foolbox.attacks.LinfPGD(abs_stepsize=LENGTH, steps=STEPS)
        found["foolbox fp32"] = lambda: pgd.run(wrapped, images, targets, epsilon=EPS)
    if importlib.util.find_spec("art"):
        from art.attacks.evasion import ProjectedGradientDescentPyTorch
        from art.estimators.classification import PyTorchClassifier

        classifier = PyTorchClassifier(
            network(device),
            loss=nn.CrossEntropyLoss(),
            input_shape=(3, 32, 32),
            nb_classes=10,
            clip_values=(0, 1),
            device_type="gpu" if device == "cuda" else "cpu",
        )
        madry = ProjectedGradientDescentPyTorch(
            classifier,
            eps=EPS,
            eps_step=LENGTH,
            max_iter=STEPS,
            num_random_init=1,
            batch_size=len(images),
            verbose=False,
        )
        found["ART fp32"] = lambda: madry.generate(images.cpu().numpy(), targets.cpu().numpy())
    return found


def seconds(work: Work, device: str) -> float:
    clock = time.process_time if device == "cpu" else time.perf_counter
    if device == "cuda":
        torch.cuda.synchronize()
    start = clock()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--only", default="", help="words with commas: the rows that have one of them, and their limits"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images = torch.rand(arguments.batch_size, 3, 32, 32, device=arguments.device)
    targets = torch.randint(10, (arguments.batch_size,), device=arguments.device)
    rows = contenders(arguments.device, images, targets)
    words = arguments.only.split(",")
    named = {name for name in rows if any(word in name for word in words)}
    rows = {name: row for name, row in rows.items() if name in named or any(rows[each][1] == name for each in named)}
    for work, _ in rows.values():  # compiles, allocates, tunes
        work()
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(arguments.rounds):
        for name, (work, _) in rows.items():
            times[name].append(seconds(work, arguments.device))
    place = torch.cuda.get_device_name() if arguments.device == "cuda" else "one CPU thread"
    print(f"PGD-{STEPS}, ResNet-18, {arguments.batch_size} images, {arguments.rounds} rounds, {place}\n")
    print("| | seconds | ratio | to | ratios of the rounds |\n|---|---|---|---|---|")
    for name, (_, base) in rows.items():
        ratios = [mine / least for mine, least in zip(times[name], times[base], strict=True)]
        listed = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(f"| {name} | {median(times[name]):.4g} | {median(ratios):.3f} | {base} | {listed} |")


if __name__ == "__main__":
    main()
