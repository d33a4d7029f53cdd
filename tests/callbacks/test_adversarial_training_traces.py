"""AdversarialTraining leaves nothing behind on module, data or generators."""

import random

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from adversarial_training_helpers import ATTACK, Probe, fitted, seeded

from robustlit.attacks import PGD
from robustlit.callbacks import AdversarialTraining
from robustlit.methods import AWP
from tests.tiny import ForeignModule, Samples, loader, trainer, weights


@pytest.mark.parametrize("batchnorm", ["eval", "train"])
def test_a_zero_eps_trains_as_if_there_were_no_callback(batchnorm) -> None:
    """So the attack leaves no trace on weights, BatchNorm statistics, generators or data."""
    options = {"norm": "batch", "dropout": 0.3}
    states = []
    for callback in (AdversarialTraining(PGD(eps=0.0), batchnorm=batchnorm), None):
        random.seed(1)
        np.random.seed(1)
        module = fitted(callback, model=options)
        states.append((module.state_dict(), torch.rand(3), random.random(), np.random.rand(), set(vars(module))))
    (ours, *rest), (theirs, *expected) = states
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert torch.equal(rest[0], expected[0]) and rest[1:] == expected[1:]


def test_modes_and_flags_survive_each_step() -> None:
    class Looks(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, *_) -> None:
            assert not pl_module.network[1].training and pl_module.network[0].training
            assert [p.requires_grad for p in pl_module.parameters()] == [False] * 2 + [True] * 4

    module = seeded(norm="batch")
    module.train()
    module.network[1].eval()
    for parameter in module.network[0].parameters():
        parameter.requires_grad_(False)
    trainer([AdversarialTraining(ATTACK, "trades", AWP()), Looks()], max_epochs=1).fit(module, loader())


def test_data_set_is_not_written_to() -> None:
    data = Samples(32)
    before = data.images.clone()
    batches = torch.utils.data.DataLoader([(data.images, data.targets)], batch_size=None)
    trainer([AdversarialTraining(ATTACK)]).fit(seeded(), batches)
    assert torch.equal(data.images, before)


def test_skipped_batches_are_forgotten() -> None:
    class Skips(ForeignModule):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            return None if batch_idx == 1 else loss

    torch.manual_seed(3)
    module, probe = Skips(), Probe()
    start = weights(module)
    run = trainer([AdversarialTraining(ATTACK, "trades", AWP()), probe], max_epochs=1, limit_train_batches=2)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.0)
    module.configure_optimizers = lambda: optimizer
    run.fit(module, loader())
    assert torch.equal(weights(module), start)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["at", "trades"])
def test_nothing_is_left_after_an_exception_in_mid_step(error, method) -> None:
    class Fails(ForeignModule):
        def training_step(self, batch, batch_idx):
            self(batch[0])
            raise error("stop")

    module = Fails(norm="batch")
    with pytest.raises((error, SystemExit)):
        trainer([]).fit(module, loader())  # Lightning leaves attributes of its own
    before, known = weights(module), set(vars(module))
    callback = AdversarialTraining(ATTACK, method, AWP())
    with pytest.raises((error, SystemExit)):
        trainer([callback]).fit(module, loader())
    assert torch.equal(weights(module), before)
    assert set(vars(module)) == known and callback._scene is None
    assert all(parameter.requires_grad and parameter.grad is None for parameter in module.parameters())


def test_fit_twice_and_nothing_is_left() -> None:
    callback = AdversarialTraining(ATTACK, "trades", AWP(), seed=11)
    first, plain = fitted(callback), fitted(None)
    assert set(vars(first)) == set(vars(plain))
    assert torch.equal(weights(fitted(callback)), weights(first))
