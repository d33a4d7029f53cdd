"""Does the alarm of catastrophic overfitting fire where it should, and only there? On real CIFAR-10 images.

    python scripts/bench/catastrophic_overfitting.py cifar10.npz RUN/checkpoints/last.ckpt [--only fgsm] [--seed 0]

RUN is a ResNet-18 of half width after two epochs of clean training:

    robustlit train experiment=cifar10_resnet18 model.width=32 trainer.max_epochs=2 trainer.precision=bf16-mixed
        task.label_smoothing=0 data.path=cifar10.npz

From these weights it is trained under attack at eps 16/255, on 6,400 images without augmentation and weight decay: by
FGSM without a random start, which ends when the alarm fires, and by PGD with 5 steps, which runs for all epochs.
``AdversarialEvaluation`` looks at 128 validation images every two epochs, and a line shows what the alarm looks at.
"""

import argparse
import logging
import os
import tempfile
import time
import warnings
from functools import partial

import pytorch_lightning as pl
import torch

from robustlit.attacks import FGSM, PGD, Attack
from robustlit.callbacks import AdversarialEvaluation, AdversarialTraining
from robustlit.data import CIFAR10
from robustlit.evaluation.attacked.adversarial_alarms import Alarms
from robustlit.models import resnet18
from robustlit.modules import ClassificationModule

EPS, EVERY = 16 / 255, 2
COLUMNS = {
    "clean": "robust/adversarial/clean",
    "FGSM": "robust/adversarial/fgsm",
    "PGD-10": "robust/adversarial/pgd",
    "gap": "alarm/fgsm_pgd_gap",
    "PGD over FGSM": "alarm/pgd_left_of_fgsm",
    "PGD over its best": "alarm/pgd_left_of_best",
    "alignment": "alarm/gradient_alignment",
    "fires": "alarm/catastrophic_overfitting_fired",
}


class Lines(pl.Callback):
    """Prints a line an evaluation, and remembers whether the alarm fired."""

    def __init__(self) -> None:
        self.fired = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print."""
        found = [float(trainer.callback_metrics.get(key, float("nan"))) for key in COLUMNS.values()]
        self.fired = self.fired or found[-1] == 1
        print(f"| {trainer.current_epoch + 1} | {' | '.join(f'{value:.3f}' for value in found)} |", flush=True)


def train(name: str, attack: Attack, on_alarm: str, arguments: argparse.Namespace) -> None:
    pl.seed_everything(arguments.seed, verbose=False)
    network = resnet18(num_classes=10, stem="cifar", width=32, weights=arguments.weights)
    optimizer = partial(torch.optim.SGD, lr=0.02, momentum=0.9, nesterov=True)
    module = ClassificationModule(network, num_classes=10, optimizer=optimizer, channels_last=True)
    sizes = {"limit_train": 6400, "limit_eval": 128, "batch_size": 64, "eval_batch_size": 128}
    data = CIFAR10(arguments.data, num_workers=0, seed=arguments.seed, **sizes)
    limits = Alarms(train=False, queries=1)  # the other alarms are not what is asked about
    watch = AdversarialEvaluation([FGSM(eps=EPS), PGD(eps=EPS)], alarms=limits, on_alarm=on_alarm)
    lines, start = Lines(), time.perf_counter()
    print(f"\n{name}\n\n| epoch | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|", flush=True)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=arguments.epochs,
            precision="bf16-mixed",
            check_val_every_n_epoch=EVERY,
            callbacks=[AdversarialTraining(attack, batchnorm="train"), watch, lines],
            default_root_dir=folder,
            num_sanity_val_steps=0,
            **quiet,
        )
        trainer.fit(module, datamodule=data)
    minutes = (time.perf_counter() - start) / 60
    said = "fired" if lines.fired else "did not fire"
    print(f"\n{name}: the alarm {said} within {trainer.current_epoch} epochs, {minutes:.1f} min", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="cifar10.npz")
    parser.add_argument("weights", help="of clean training")
    parser.add_argument("--epochs", type=int, default=14, help="at most")
    parser.add_argument("--seed", type=int, default=0, help="of the images' order and of random starts")
    parser.add_argument("--only", choices=["fgsm", "pgd"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    if arguments.only != "pgd":
        train("FGSM", FGSM(eps=EPS), "stop", arguments)
    if arguments.only != "fgsm":
        train("PGD-5", PGD(eps=EPS, steps=5), "warn", arguments)


if __name__ == "__main__":
    main()
