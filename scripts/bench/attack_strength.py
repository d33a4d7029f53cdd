"""Do our attacks find as much as others'? Accuracy that each leaves of a trained model, at the same settings.

    python scripts/bench/attack_strength.py RUN [--eps 0.1] [--images 1000] [--auto-images 100] [--seeds 2]

RUN is a classifier's run folder, of adversarial training so that there is something left to find. All packages attack
the same images of the test split in fp32: PGD with 40 steps from a uniform start (the mean over the seeds) beside
torchattacks 3.5.1 and foolbox 3.3.4; PGD with its worst iterate kept beside adv-lib 0.2.8, which keeps any that wins;
APGD with 100 steps on both of its losses beside pyautoattack 0.2.0 and adv-lib; and AutoAttack through
``AutoAttackTest`` beside pyautoattack called by itself. "same images" counts those on which both packages agree.
Packages that cannot be imported are left out.
"""

import argparse
import importlib.util
import logging
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from robustlit.attacks import APGD, PGD
from robustlit.cli.build import build_data, build_module
from robustlit.cli.run import load_weights
from robustlit.data.base import VisionDataModule
from robustlit.evaluation import AutoAttackTest
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.visiting import Visitor, visit
from robustlit.metrics.interval import wilson
from robustlit.reports.table import text_table

STEPS, LONG = 40, 100
Attacked = Callable[[Tensor, Tensor, int], Tensor]  # images, targets, seed -> adversarial images


class Keep(Visitor):
    """Keeps the images that the tests of ``robustlit evaluate`` choose."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: object, chunk: Chunk) -> None:
        """Keep some."""
        self.chunks.append(chunk)

    def finish(self, *_: object) -> None:
        """Do nothing."""


def trainer() -> pl.Trainer:
    silent = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(accelerator="cpu", devices=1, enable_model_summary=False, **silent)


def opened(run: Path, checkpoint: str) -> tuple[VisionDataModule, pl.LightningModule]:
    config = OmegaConf.load(run / "config.yaml")
    data = build_data(config)
    module = build_module(config, data)
    load_weights(module, run / "checkpoints" / f"{checkpoint}.ckpt")
    return data, module.eval().requires_grad_(False)


def chosen(data: VisionDataModule, module: pl.LightningModule, images: int) -> tuple[Tensor, Tensor]:
    visitor = Keep()
    visit(visitor, images, module, data, trainer())
    module.eval()
    order = torch.cat([chunk.ids for chunk in visitor.chunks]).argsort()
    parts = (torch.cat([getattr(chunk, part) for chunk in visitor.chunks])[order] for part in ("images", "targets"))
    return tuple(parts)  # type: ignore[return-value]


def rivals(model: nn.Module, eps: float) -> dict[str, tuple[str, Attacked]]:
    """Attacks of other packages, and the name of ours that each is compared with."""
    found: dict[str, tuple[str, Attacked]] = {}
    step = 2.5 * eps / STEPS
    if importlib.util.find_spec("torchattacks"):
        import torchattacks

        attack = torchattacks.PGD(model, eps=eps, alpha=step, steps=STEPS)
        found["torchattacks PGD"] = ("PGD", lambda images, targets, seed: attack(images, targets))
    if importlib.util.find_spec("foolbox"):
        import foolbox

        pgd = foolbox.attacks.LinfPGD(abs_stepsize=step, steps=STEPS)
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        found["foolbox LinfPGD"] = ("PGD", lambda images, targets, seed: pgd.run(wrapped, images, targets, epsilon=eps))
    if importlib.util.find_spec("adv_lib"):
        from adv_lib.attacks.auto_pgd import apgd
        from adv_lib.attacks.projected_gradient_descent import pgd_linf

        settings = {"steps": STEPS, "absolute_step_size": step}
        found["adv-lib pgd_linf"] = (
            "PGD best",
            lambda images, targets, seed: pgd_linf(model, images, targets, eps, **settings),
        )
        for loss in ("ce", "dlr"):
            more = {"norm": math.inf, "n_iter": LONG, "loss_function": loss}
            found[f"adv-lib apgd {loss}"] = (
                f"APGD {loss}",
                lambda images, targets, seed, more=more: apgd(model, images, targets, eps, **more),
            )
    if importlib.util.find_spec("pyautoattack"):
        from pyautoattack.autopgd_base import APGDAttack

        for loss in ("ce", "dlr"):
            auto = APGDAttack(model, n_iter=LONG, eps=eps, loss=loss, device="cpu")
            found[f"pyautoattack APGD {loss}"] = (
                f"APGD {loss}",
                lambda images, targets, seed, auto=auto: auto.perturb(images, targets),
            )
    return found


def survivors(model: nn.Module, attack: Attacked, batch: tuple[Tensor, Tensor], eps: float, seeds: int) -> Tensor:
    """Return, S×N, whether the model is right on every image under the attack with each seed."""
    (images, targets), kept = batch, []
    for seed in range(seeds):
        torch.manual_seed(seed)
        parts = zip(images.split(500), targets.split(500), strict=True)
        changed = torch.cat([attack(part, labels, seed).detach() for part, labels in parts])
        farthest = float((changed - images).abs().max())
        if farthest > eps + 1e-6:
            raise ValueError(f"expected a change of at most {eps:g}, got {farthest:g}; try another package")
        with torch.no_grad():
            kept.append(torch.cat([model(part).argmax(1) for part in changed.split(500)]) == targets)
    return torch.stack(kept)


def compare(model: nn.Module, eps: float, images: Tensor, targets: Tensor, seeds: int) -> list[list[str]]:
    pgd = {"eps": eps, "step_size": 2.5 * eps / STEPS, "steps": STEPS}
    attacks = {
        "PGD": PGD(**pgd),
        "PGD best": PGD(**pgd, best=True),
        "APGD ce": APGD(eps=eps, steps=LONG),
        "APGD dlr": APGD(eps=eps, steps=LONG, loss="dlr"),
    }
    rows, own = [], {}
    for name, attack in attacks.items():
        own[name] = survivors(
            model,
            lambda x, y, seed, attack=attack: attack(model, x, y, seed=seed),
            (images, targets),
            eps,
            seeds if name.startswith("PGD") else 1,
        )
        rows.append([name, "robustlit", *figures(own[name]), "", ""])
    for name, (ours, attack) in rivals(model, eps).items():
        theirs = survivors(model, attack, (images, targets), eps, seeds if ours.startswith("PGD") else 1)
        difference = 100 * (own[ours].float().mean() - theirs.float().mean())
        same = (own[ours] == theirs).float().mean()
        rows.append([ours, name, *figures(theirs), f"{difference:+.2f}", f"{100 * same:.1f} %"])
    return sorted(rows, key=lambda row: list(attacks).index(row[0]))


def figures(kept: Tensor) -> list[str]:
    share, n = float(kept.float().mean()), kept.shape[1]
    low, high = wilson(round(share * n), n)
    return [f"{100 * share:.2f} %", f"{100 * low:.1f} to {100 * high:.1f}"]


def auto(data: VisionDataModule, module: pl.LightningModule, eps: float, count: int) -> list[list[str]]:
    from pyautoattack import AutoAttack

    images, targets = chosen(data, module, count)
    package = AutoAttack(module, eps=eps, norm="Linf", seed=0, version="standard", device="cpu")
    with torch.no_grad():
        _, said = package.run_standard_evaluation(images, targets, batch_size=count)
    theirs = float((said == targets).float().mean())
    test = AutoAttackTest(eps=eps, images=count, batch_size=count)
    rows = {row.metric: row for row in test.run(module, data, trainer())}
    headline = next(row for metric, row in rows.items() if metric.startswith("linf"))
    interval = f"{100 * headline.low:.1f} to {100 * headline.high:.1f}"
    return [
        ["AutoAttack", "AutoAttackTest", f"{100 * headline.value:.2f} %", interval, "", f"n = {headline.n}"],
        ["AutoAttack", "pyautoattack", f"{100 * theirs:.2f} %", "", f"{100 * (headline.value - theirs):+.2f}", ""],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--checkpoint", default="best_robust")
    parser.add_argument("--eps", type=float, default=0.1)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=2, help="of PGD")
    parser.add_argument("--auto-images", type=int, default=100, help="0: no AutoAttack")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    data, module = opened(arguments.run, arguments.checkpoint)
    images, targets = chosen(data, module, arguments.images)
    with torch.no_grad():
        clean = torch.cat([module(part).argmax(1) for part in images.split(500)]) == targets
    print(f"{arguments.run.name}, {arguments.checkpoint}: n = {len(images)}, Linf {arguments.eps:g}, fp32\n")
    rows = [
        ["none", "", *figures(clean[None]), "", ""],
        *compare(module, arguments.eps, images, targets, arguments.seeds),
    ]
    if arguments.auto_images and importlib.util.find_spec("pyautoattack"):
        rows += auto(data, module, arguments.eps, arguments.auto_images)
    header = ["attack", "package", "accuracy", "95 %", "ours minus theirs", "same images"]
    print(text_table(header, rows, [False, False, True, True, True, True]))


if __name__ == "__main__":
    main()
