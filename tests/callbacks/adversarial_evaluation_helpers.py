"""Fits with an adversarial evaluation, and what they log."""

import pytorch_lightning as pl
from callbacks_helpers import fit, images
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from robustlit.attacks import FGSM, PGD

FEW = (FGSM(eps=0.1), PGD(eps=0.1, steps=3))


def data(batch_size=4, count=24, size=16):
    return DataLoader(images(count, size), batch_size=batch_size)


def evaluated(folder, callback, epochs=1, **settings):
    settings = {"data": data(), "validation": data(), **settings}
    trainer, module = fit(folder, [callback], epochs=epochs, **settings)
    wanted = ("robust/", "alarm/")
    return {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith(wanted)}, module


def reloaded(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    return events


class Switchable(pl.Callback):
    def __init__(self):
        self.attack, self.given = FGSM(eps=0.05), []

    def use_attack(self, attack):
        self.given.append(attack)
        self.attack = attack
