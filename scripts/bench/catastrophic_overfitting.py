"""Does the alarm of catastrophic overfitting fire where it should, and only there? On real CIFAR-10 images.

    python scripts/bench/catastrophic_overfitting.py cifar10.npz [--eps 16] [--images 2048] [--epochs 40]

A small CNN is trained on a part of the training images, without augmentation and weight decay; first as they are, then,
from those weights, under attack: once by FGSM without a random start, and once by PGD with 5 steps, at the same eps.
``AdversarialEvaluation`` looks at 128 validation images every few epochs, and a line shows what the alarm looks at.
Training by FGSM ends when the alarm fires; training by PGD goes on for as many epochs as that took, and half as many
again.
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
from robustlit.evaluation.attacked.adversarial_alarms import Alarms

from robustlit.attacks import FGSM, PGD, Attack
from robustlit.callbacks import AdversarialEvaluation, AdversarialTraining
from robustlit.data import CIFAR10
from robustlit.models import resnet18, small_cnn
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
    module, data = parts(arguments)
    if arguments.clean_epochs:
        fit(module, data, arguments.clean_epochs, [], arguments)
    limits = Alarms(train=False, queries=1)  # the other alarms are not what is asked about
    watch, lines = AdversarialEvaluation([FGSM(eps=eps), PGD(eps=eps)], alarms=limits, on_alarm=on_alarm), Lines()
    print(f"\n{type(attack).__name__}\n\n| epoch | {' | '.join(HEADS)} |\n{'|---' * (len(HEADS) + 1)}|", flush=True)
    training = AdversarialTraining(attack, batchnorm=arguments.batchnorm)
    ended = fit(module, data, epochs, [training, watch, lines], arguments)
    return lines.fired, ended


def parts(arguments: argparse.Namespace) -> tuple[ClassificationModule, CIFAR10]:
    settings = {"limit_train": arguments.images, "limit_eval": 128, "batch_size": 64, "eval_batch_size": 128}
    data = CIFAR10(arguments.data, num_workers=0, **settings)
    optimizer = partial(torch.optim.SGD, lr=arguments.lr, momentum=0.9, nesterov=True)
    if arguments.network == "resnet18":
        network = resnet18(num_classes=10, stem="cifar", width=arguments.width, weights=arguments.weights)
    else:
        network = small_cnn(num_classes=10, width=arguments.width)
    module = ClassificationModule(network, num_classes=10, optimizer=optimizer, channels_last=True)
    return module, data


def fit(
    module: pl.LightningModule, data: CIFAR10, epochs: int, callbacks: list[pl.Callback], arguments: argparse.Namespace
) -> int:
    """Train and return after how many epochs that ended."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=epochs,
            precision=arguments.precision,
            check_val_every_n_epoch=arguments.every,
            limit_val_batches=1.0 if callbacks else 0,
            callbacks=callbacks,
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(module, datamodule=data)
    return trainer.current_epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="cifar10.npz")
    parser.add_argument("--eps", type=float, default=16, help="in 255ths")
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--network", choices=["small_cnn", "resnet18"], default="resnet18")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--weights", help="of clean training: a checkpoint of cifar10_resnet18 with that width")
    parser.add_argument("--batchnorm", choices=["eval", "train"], default="eval", help="mode of the attacked network")
    parser.add_argument("--epochs", type=int, default=40, help="at most, of training by FGSM")
    parser.add_argument("--clean-epochs", type=int, default=15)
    parser.add_argument("--every", type=int, default=5, help="epochs from one evaluation to the next")
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--precision", default="bf16-mixed")
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
