"""AdversarialTraining's options and what it logs."""

import pytest
import pytorch_lightning as pl
import torch
from adversarial_training_helpers import ATTACK, EPS, Probe, search_by_hand, seeded
from torch.nn import functional as F

from robustlit.attacks import FGSM, PGD
from robustlit.callbacks import AdversarialTraining
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds
from tests.tiny import Samples, loader, trainer


def test_clean_share_leaves_that_share_alone() -> None:
    shares = []
    for share in (0.0, 0.5, 1.0):
        probe = Probe()
        callback = AdversarialTraining(FGSM(eps=EPS), clean_share=share, seed=11)
        data = torch.utils.data.DataLoader(Samples(400), batch_size=400)
        trainer([callback, probe], max_epochs=1).fit(seeded(), data)
        shares.append((probe.images[-1] == Samples(400).images).flatten(1).all(1).float().mean().item())
    assert shares[0] == 0 and shares[2] == 1 and abs(shares[1] - 0.5) < 0.1  # four standard deviations


def test_eps_warms_up_and_the_step_size_with_it() -> None:
    reach, sizes = [], []

    class Epochs(Probe):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
            reach.append((self.images[-1] - batch[0]).abs().max().item())
            sizes.append(callback._current_attack().step_size)

    probe = Epochs()
    callback = AdversarialTraining(PGD(eps=0.2, step_size=0.1, steps=5), eps_warmup_epochs=3)
    data = torch.utils.data.DataLoader(Samples(8), batch_size=8)
    run = trainer([callback, probe], max_epochs=5)
    run.fit(seeded(), data)
    assert reach == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2], abs=1e-6)
    assert sizes == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert run.callback_metrics["train/adversarial_eps"].item() == pytest.approx(0.2)


def test_logs_what_was_added_and_what_it_cost() -> None:
    run = trainer([AdversarialTraining(ATTACK, "trades", seed=11)], max_epochs=1)
    module = seeded()
    run.fit(module, loader(count=8))
    metrics = run.callback_metrics
    images, targets = Samples(8).images, Samples(8).targets
    hand = seeded()
    seeds = fold(sample_seeds(mix(11, "attack", 0), pixel_hash(images)), "PGD")
    changed = search_by_hand(hand, images, targets, seeds, kl=True)
    shift = F.kl_div(hand(changed).log_softmax(1), hand(images).softmax(1), reduction="batchmean")
    assert metrics["train/adversarial_loss"].item() == pytest.approx(6 * shift.item(), rel=1e-4)
    assert metrics["cost/adversarial_training_seconds"] > 0
    plain = trainer([AdversarialTraining(ATTACK)], max_epochs=1)
    plain.fit(seeded(), loader(count=8))
    assert "train/adversarial_loss" not in plain.callback_metrics


def test_goes_on_with_another_attack() -> None:
    class Switches(pl.Callback):
        def on_train_epoch_end(self, *_) -> None:
            callback.use_attack("pgd")

    callback, probe = AdversarialTraining(FGSM(eps=0.3), "trades"), Probe()
    trainer([callback, probe, Switches()]).fit(seeded(), loader())
    assert callback.attack.loss == "kl" and (probe.images[-1] - Samples().images[-8:]).abs().max() <= 8 / 255 + 1e-6


def test_seed_of_the_run_is_the_default(monkeypatch) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    assert AdversarialTraining().seed == 42
    monkeypatch.delenv("PL_GLOBAL_SEED")
    assert AdversarialTraining().seed == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdversarialTraining("pdg"), "got 'pdg'; try 'pgd'"),
        (lambda: AdversarialTraining(method="trade"), "got 'trade'; try 'trades'"),
        (lambda: AdversarialTraining(PGD(eps=8)), "try 8/255"),
        (lambda: AdversarialTraining(None), "expected an attack such as PGD"),
        (lambda: AdversarialTraining(method=None), "expected a method such as TRADES"),
        (lambda: AdversarialTraining(weight_perturbation=0.01), "try AWP"),
        (lambda: AdversarialTraining(clean_share=2), r"clean_share in \[0, 1\]"),
        (lambda: AdversarialTraining(eps_warmup_epochs=-1), "eps_warmup_epochs of at least 0"),
        (lambda: AdversarialTraining(batchnorm="frozen"), "expected batchnorm 'eval' or 'train'"),
    ],
)
def test_bad_settings_are_told(make, message) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()
