"""Does the alarm of catastrophic overfitting fire where it should, and only there? On real CIFAR-10 images.

    python scripts/bench/catastrophic_overfitting.py cifar10.npz [--eps 16] [--images 2048] [--width 16] [--epochs 40]

The same small ResNet-18 is trained twice on a part of the training images, without augmentation and weight decay: by
FGSM without a random start, and by PGD with 5 steps, at the same eps. ``AdversarialEvaluation`` looks at 256 validation
images every few epochs, and a line shows what the alarm looks at. Training by FGSM ends when the alarm fires; training
by PGD goes on for as many epochs as that took, and half as many again.
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
from robustlit.evaluation.adversarial_alarms import Alarms
from robustlit.models import resnet18
from robustlit.modules import ClassificationModule

KEYS = (
    "robust/adversarial/clean",
    "robust/adversarial/fgsm",
    "robust/adversarial/pgd",
    "alarm/fgsm_pgd_gap",
    "alarm/gradient_alignment",
    "alarm/catastrophic_overfitting_fired",
)
HEADS = ("clean", "FGSM", "PGD-10", "gap", "alignment", "fired")


class Lines(pl.Callback):
    """Prints a line an evaluation, and remembers whether the alarm fired."""

    def __init__(self) -> None:
        self.fired = False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print."""
        found = [float(trainer.callback_metrics.get(key, float("nan"))) for key in KEYS]
        self.fired = self.fired or found[-1] == 1
        print(f"| {trainer.current_epoch + 1} | {' | '.join(f'{value:.3f}' for value in found)} |", flush=True)


def train(attack: Attack, on_alarm: str, epochs: int, arguments: argparse.Namespace) -> tuple[bool, int]:
    """Return whether the alarm fired, and after how many epochs training ended."""
    eps = arguments.eps / 255
    pl.seed_everything(0, verbose=False)
    settings = {"limit_train": arguments.images, "limit_eval": 256, "batch_size": 64, "eval_batch_size": 128}
    data = CIFAR10(arguments.data, num_workers=0, **settings)
    optimizer = partial(torch.optim.SGD, lr=arguments.lr, momentum=0.9, nesterov=True)
    network = resnet18(num_classes=10, stem="cifar", width=arguments.width)
    module = ClassificationModule(network, num_classes=10, optimizer=optimizer, channels_last=True)
    watch, lines = AdversarialEvaluation([FGSM(eps=eps), PGD(eps=eps)], alarms=Alarms(), on_alarm=on_alarm), Lines()
    print(f"\n{type(attack).__name__}\n\n| epoch | {' | '.join(HEADS)} |\n{'|---' * (len(HEADS) + 1)}|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=epochs,
            precision=arguments.precision,
            check_val_every_n_epoch=arguments.every,
            callbacks=[AdversarialTraining(attack), watch, lines],
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(module, datamodule=data)
    return lines.fired, trainer.current_epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="cifar10.npz")
    parser.add_argument("--eps", type=float, default=16, help="in 255ths")
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=40, help="at most, of training by FGSM")
    parser.add_argument("--every", type=int, default=4, help="epochs from one evaluation to the next")
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--only", choices=["fgsm", "pgd"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    eps, epochs, start = arguments.eps / 255, arguments.epochs, time.perf_counter()
    if arguments.only != "pgd":
        fired, ended = train(FGSM(eps=eps), "stop", epochs, arguments)
        print(f"\nFGSM: the alarm {'fired' if fired else 'did not fire'} within {ended} epochs")
        epochs = -(-ended * 3 // 2 // arguments.every) * arguments.every
    if arguments.only != "fgsm":
        fired, ended = train(PGD(eps=eps, steps=5), "warn", epochs, arguments)
        print(f"\nPGD: the alarm {'fired' if fired else 'did not fire'} within {ended} epochs")
    print(f"{(time.perf_counter() - start) / 60:.1f} min")


if __name__ == "__main__":
    main()
