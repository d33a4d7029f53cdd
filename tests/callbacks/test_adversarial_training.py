"""AdversarialTraining equals hand-written loops, under accumulation, compile and two processes too."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from adversarial_training_helpers import ATTACK, STEPS, WIDE, Probe, by_hand, fitted, seeded
from torch.nn import functional as F

from robustlit.callbacks import AdversarialTraining
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds, uniform
from robustlit.methods import AWP
from tests.tiny import ForeignModule, Samples, loader, trainer, weights


@pytest.mark.parametrize("autocast", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("method", ["at", "trades"])
@pytest.mark.parametrize("norm", ["group", "batch"])
def test_equals_a_hand_written_loop_bit_for_bit(method, autocast, norm) -> None:
    options = {"norm": norm, "dropout": 0.2}
    precision = "bf16-mixed" if autocast else "32-true"
    module = fitted(AdversarialTraining(ATTACK, method, seed=11), model=options, precision=precision)
    hand = seeded(**options)
    assert torch.equal(weights(module), by_hand(hand, method == "trades", autocast=autocast))
    for ours, theirs in zip(module.buffers(), hand.buffers(), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(weights(module), weights(fitted(None, model=options, precision=precision)))


@pytest.mark.parametrize("method", ["at", "trades", "mart", "logit_pairing", "grad_align"])
def test_accumulation_agrees_with_the_larger_batch(method) -> None:
    callback = AdversarialTraining(ATTACK, WIDE.get(method, method), seed=11)
    small = fitted(callback, batch_size=16, count=64, accumulate_grad_batches=2, max_epochs=1)
    large = fitted(callback, batch_size=32, count=64, max_epochs=1)
    torch.testing.assert_close(weights(small), weights(large), atol=2e-6, rtol=0)


def test_two_processes_agree_with_one(tmp_path) -> None:
    """BatchNorm-free, dict batches with an index; measured 9e-8 to 2e-7."""
    script = Path(__file__).with_name("ddp_adversarial_training.py")
    subprocess.run(
        [sys.executable, str(script), str(tmp_path / "two.pt")], check=True, timeout=240, capture_output=True
    )
    for (method, perturbed), trained in torch.load(tmp_path / "two.pt").items():
        callback = AdversarialTraining(
            ATTACK, WIDE.get(method, method), AWP(gamma=0.05) if perturbed else None, seed=11
        )
        single = fitted(callback, kind="dict", batch_size=16, max_epochs=1)
        torch.testing.assert_close(trained, weights(single), atol=2e-6, rtol=0)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("method", ["at", "trades", "grad_align"])
def test_compiled_module_trains_alike(method, backend) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    callback, module = AdversarialTraining(ATTACK, method, seed=11), seeded()
    fitted(callback, module=torch.compile(module, backend=backend))
    torch.testing.assert_close(weights(module), weights(fitted(callback)), atol=1e-6, rtol=0)  # measured 0
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 4  # not one for every step
    assert "_robustlit_pipeline" not in vars(module)


class CountsForwards(pl.Callback):
    """Counts the forward passes of every step."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.count = 0
        self.handle = pl_module.network.register_forward_hook(self._add)

    def _add(self, *_) -> None:
        self.count += 1

    def on_train_batch_end(self, *_) -> None:
        self.handle.remove()


class StepWithoutForward(ForeignModule):
    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self.network(batch[0]), batch[1])


@pytest.mark.parametrize(
    ("method", "forwards"),
    [("at", STEPS + 1), ("trades", 1 + STEPS + 2), ("mart", STEPS + 2), ("logit_pairing", STEPS + 2)],
)
def test_number_of_forward_passes(method, forwards) -> None:
    counter = CountsForwards()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="expected a training_step that calls")
        trainer([AdversarialTraining(ATTACK, method), counter], max_epochs=1).fit(seeded(), loader())
    assert counter.count == forwards


def test_a_step_that_does_not_call_forward_costs_one_more_and_a_warning() -> None:
    torch.manual_seed(3)
    counter, module = CountsForwards(), StepWithoutForward()
    with pytest.warns(UserWarning, match="TRADES computes the logits with one more forward pass") as seen:
        callbacks = [AdversarialTraining(ATTACK, "trades", seed=11), counter]
        trainer(callbacks, max_steps=1).fit(module, loader(count=8))
    assert counter.count == 1 + STEPS + 3
    assert sum("one more forward" in str(entry.message) for entry in seen) == 1
    torch.testing.assert_close(weights(module), by_hand(seeded(), trades=True, epochs=1, count=8), atol=1e-6, rtol=0)


def test_fgsm_with_a_random_start_by_hand() -> None:
    probe, module, data = Probe(), seeded(), Samples(8)
    images = data.images
    callback = AdversarialTraining("fgsm_rs", seed=11)
    trainer([callback, probe], max_epochs=1).fit(module, loader(count=8))
    eps = 8 / 255
    assert callback.attack.eps == eps
    seeds = fold(sample_seeds(mix(11, "attack", 0), pixel_hash(images)), "FGSM", "start")
    start = (images + uniform(seeds, (3, 8, 8)) * 2 * eps - eps).clamp(images - eps, images + eps).clamp(0, 1)
    start.requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(seeded()(start), data.targets), start)
    expected = (start.detach() + 1.25 * eps * slope.sign()).clamp(images - eps, images + eps).clamp(0, 1)
    torch.testing.assert_close(probe.images[-1], expected, atol=1e-6, rtol=0)
