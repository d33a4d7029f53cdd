"""AdversarialTraining equals hand-written loops, on anyone's module, and leaves nothing behind."""

import random
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional as F

from robustlit.attacks import FGSM, PGD, SegPGD
from robustlit.attacks.norms import LinfBall
from robustlit.augmentations import PatchGaussian
from robustlit.callbacks import AdversarialTraining, Augmentation
from robustlit.core import Adapter
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds, uniform
from robustlit.methods import AWP, MART, TRADES, GradAlign, LogitPairing, Plain
from tests.tiny import DictModule, ForeignModule, Samples, loader, trainer, weights

EPS, STEPS = 0.1, 3
ATTACK = PGD(eps=EPS, step_size=0.05, steps=STEPS)
# For equality within rounding: at the paper's start, 0.001 beside the image, TRADES' gradients are themselves rounding,
# and a step is as long for them as for any other. From a start in the whole ball they are not.
WIDE = {"trades": TRADES(random_start=True)}


def seeded(kind: str = "tuple", **options) -> ForeignModule:
    torch.manual_seed(3)
    return DictModule(**options) if kind == "dict" else ForeignModule(**options)


def fitted(callback, kind="tuple", batch_size=8, count=32, model=None, module=None, **options):
    module = seeded(kind, **(model or {})) if module is None else module
    torch.manual_seed(5)  # of dropout
    trainer([callback] if callback else [], **options).fit(module, loader(kind, batch_size, count))
    return module


def search_by_hand(module, images, targets, seeds, kl: bool):
    """A plain loop on the module in eval mode, with gradients of everything."""
    ball = LinfBall(images, EPS)
    module.eval()
    with torch.no_grad():
        clean = module(images).float()[..., None].log_softmax(1)  # N×K×1, as the attack holds it: another kernel
    changed = ball.small(seeds) if kl else ball.random(seeds)
    for _ in range(STEPS):
        changed = changed.detach().requires_grad_()
        logits = module(changed).float()
        if kl:
            loss = (clean.exp() * (clean - logits[..., None].log_softmax(1))).sum()
        else:
            loss = F.cross_entropy(logits, targets, reduction="sum")
        (slope,) = torch.autograd.grad(loss, changed)
        changed = ball.clip(changed.detach() + 0.05 * slope.sign())
    module.train()
    return changed


def by_hand(module, trades=False, batch_size=8, autocast=False, epochs=2, count=32):
    """The training loop a user would write without any callback."""
    optimizer = module.configure_optimizers()
    torch.manual_seed(5)
    module.train()
    for epoch in range(epochs):
        for images, targets in loader(batch_size=batch_size, count=count):
            seeds = fold(sample_seeds(mix(11, "attack", epoch), pixel_hash(images)), "PGD")
            before = torch.get_rng_state()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast, cache_enabled=False):  # as Lightning
                changed = search_by_hand(module, images, targets, seeds, kl=trades)
                torch.set_rng_state(before)
                if trades:
                    logits = module(images)
                    shift = F.kl_div(
                        module(changed).float().log_softmax(1),
                        logits.float().log_softmax(1),
                        reduction="batchmean",
                        log_target=True,
                    )
                    loss = F.cross_entropy(logits, targets) + 6 * shift
                else:
                    loss = F.cross_entropy(module(changed), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return weights(module)


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


class Probe(pl.Callback):
    """Keeps what the module's step was given and the weights that it saw."""

    def __init__(self) -> None:
        self.images, self.weights = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        def keep(module, inputs) -> None:
            self.images.append(inputs[0].detach())
            self.weights.append(weights(module))

        self.before = weights(pl_module)
        self.handle = pl_module.register_forward_pre_hook(keep)

    def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
        self.handle.remove()
        self.after = weights(pl_module)


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


def test_augmented_before_it_is_attacked_whatever_the_order() -> None:
    augmentation, adversarial = Augmentation(PatchGaussian(5), seed=1), AdversarialTraining(ATTACK, "mart", seed=1)
    results = []
    for callbacks in ([augmentation, adversarial], [adversarial, augmentation]):
        module = seeded()
        trainer(callbacks).fit(module, loader())
        results.append(weights(module))
    assert torch.equal(*results)


class Manual(ForeignModule):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(F.cross_entropy(self(batch[0]), batch[1]))
        optimizer.step()


def test_manual_optimisation_trains_plainly_and_refuses_terms() -> None:
    torch.manual_seed(3)
    module = Manual()
    trainer([AdversarialTraining(ATTACK, seed=11)]).fit(module, loader())
    assert torch.equal(weights(module), by_hand(seeded()))
    with pytest.raises(ValueError, match=r"manually; try computing the term in its training_step"):
        trainer([AdversarialTraining(ATTACK, "trades")]).fit(module, loader())
    assert "_robustlit_pipeline" not in vars(module)


def test_weights_perturbed_under_manual_optimisation_come_back() -> None:
    torch.manual_seed(3)
    module, hand = Manual(), seeded()
    trainer([AdversarialTraining(ATTACK, "at", AWP(gamma=0.05), seed=11)]).fit(module, loader())
    fitted(AdversarialTraining(ATTACK, "at", AWP(gamma=0.05), seed=11), module=hand)
    assert torch.equal(weights(module), weights(hand))


def test_normalised_foreign_module() -> None:
    mean, std = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
    adapter = Adapter(mean=mean, std=std)
    data = [(adapter.from_pixels(image[None])[0], target) for image, target in Samples(16)]
    batches = torch.utils.data.DataLoader(data, batch_size=16)
    with pytest.raises(ValueError, match=r"looks normalised; try Adapter\(mean"):
        trainer([AdversarialTraining(ATTACK)]).fit(seeded(), batches)
    probe = Probe()
    trainer([AdversarialTraining(ATTACK, adapter=adapter), probe], max_epochs=1).fit(seeded(), batches)
    pixels = adapter.to_pixels(probe.images[-1])
    assert pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6
    assert (pixels - Samples(16).images).abs().max() == pytest.approx(EPS, abs=1e-5)


class Segments(ForeignModule):
    """Two classes and void, by one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Conv2d(8, 2, 1))

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch["image"]), batch["mask"], ignore_index=255)


@pytest.mark.parametrize("method", [Plain(), TRADES(), MART(), LogitPairing(), GradAlign()])
def test_segmentation_with_an_ignore_index(method) -> None:
    torch.manual_seed(0)
    images, masks = torch.rand(4, 3, 8, 8), torch.randint(2, (4, 8, 8))
    masks[:, :3] = 255
    batches = torch.utils.data.DataLoader([{"image": images, "mask": masks}], batch_size=None)
    module, probe = Segments(), Probe()
    before = weights(module)
    callback = AdversarialTraining(SegPGD(eps=EPS, steps=2), method, AWP(), adapter=Adapter(ignore_index=255))
    trainer([callback, probe], max_epochs=1).fit(module, batches)
    assert torch.isfinite(weights(module)).all() and not torch.equal(weights(module), before)
    assert any(not torch.equal(seen, images) for seen in probe.images[-2:])  # the step's own, and the term's


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


def test_labels_out_of_range_are_told() -> None:
    batches = torch.utils.data.DataLoader([(torch.rand(3, 8, 8), 7)] * 4, batch_size=4)
    with pytest.raises(ValueError, match="expected labels from 0 to 3, got 7"):
        trainer([AdversarialTraining(ATTACK)]).fit(seeded(), batches)


def test_probabilities_in_the_place_of_logits_are_warned_of() -> None:
    class Softmax(ForeignModule):
        def forward(self, images):
            return super().forward(images).softmax(1)

    with pytest.warns(UserWarning, match="looks like probabilities"):
        trainer([AdversarialTraining(ATTACK)], max_epochs=1).fit(Softmax(), loader(count=8))
