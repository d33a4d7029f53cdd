"""AWP in AdversarialTraining: the gradient where the weights were moved, and the exact weights back."""

import pytest
import torch
from adversarial_training_helpers import ATTACK, Manual, Probe, fitted, seeded
from torch.nn import functional as F

from robustlit.callbacks import AdversarialTraining
from robustlit.methods import AWP
from tests.tiny import Samples, loader, trainer, weights


@pytest.mark.parametrize("accumulate", [1, 2])
def test_perturbed_weights_come_back_exactly(accumulate) -> None:
    class Steps(Probe):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
            super().on_before_optimizer_step(trainer, pl_module, optimizer)
            assert torch.equal(self.after, self.before)
            assert not torch.equal(self.weights[-1], self.before)

    callbacks = [AdversarialTraining(ATTACK, "at", AWP(gamma=0.05)), Steps()]
    trainer(callbacks, accumulate_grad_batches=accumulate, max_epochs=1).fit(seeded(), loader())


def test_weight_perturbation_by_hand() -> None:
    """One step: the gradient at weights moved by gamma times their norm along the gradient of the same batch."""
    probe, hand, data = Probe(), seeded(), Samples(8)
    module = seeded()
    callback = AdversarialTraining(ATTACK, "at", AWP(gamma=0.05, warmup_epochs=0), seed=11)
    trainer([callback, probe], max_epochs=1).fit(module, loader(count=8))
    adversarial = probe.images[-1]
    optimizer = hand.configure_optimizers()
    moved = [weight for weight in hand.parameters() if weight.ndim > 1]
    slopes = torch.autograd.grad(F.cross_entropy(hand(adversarial), data.targets), moved)
    before = [weight.detach().clone() for weight in moved]
    with torch.no_grad():
        for weight, slope in zip(moved, slopes, strict=True):
            weight += 0.05 * weight.norm() * slope / slope.norm()
    F.cross_entropy(hand(adversarial), data.targets).backward()
    with torch.no_grad():
        for weight, original in zip(moved, before, strict=True):
            weight.copy_(original)
    optimizer.step()
    torch.testing.assert_close(weights(module), weights(hand), atol=1e-6, rtol=0)


def test_weight_perturbation_in_bfloat16_is_not_lost_to_cached_weights() -> None:
    plain = fitted(AdversarialTraining(ATTACK, seed=11), precision="bf16-mixed", max_epochs=1)
    perturbed = fitted(AdversarialTraining(ATTACK, "at", AWP(gamma=0.5), seed=11), precision="bf16-mixed", max_epochs=1)
    assert (weights(plain) - weights(perturbed)).abs().max() > 1e-3


def test_weight_perturbation_waits_for_its_warm_up() -> None:
    late = fitted(AdversarialTraining(ATTACK, "trades", AWP(warmup_epochs=2), seed=11))
    assert torch.equal(weights(late), weights(fitted(AdversarialTraining(ATTACK, "trades", seed=11))))


def test_weights_perturbed_under_manual_optimisation_come_back() -> None:
    torch.manual_seed(3)
    module, hand = Manual(), seeded()
    trainer([AdversarialTraining(ATTACK, "at", AWP(gamma=0.05), seed=11)]).fit(module, loader())
    fitted(AdversarialTraining(ATTACK, "at", AWP(gamma=0.05), seed=11), module=hand)
    assert torch.equal(weights(module), weights(hand))
