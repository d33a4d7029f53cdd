"""The Augmentation callback equals a hand-written loop, on anyone's module and batch, and leaves nothing behind."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging
from pytorch_lightning.plugins.precision import HalfPrecision
from torch.nn import functional as F

from robustlit.augmentations import PRIME, AugMix, PatchGaussian, RandomConvolution
from robustlit.callbacks import Augmentation
from robustlit.callbacks.augmentation_chain import run_chain
from robustlit.core import Adapter
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds
from tests.tiny import DictModule, ForeignModule, Samples, loader, trainer, weights

OP = PatchGaussian(patch_size=5, max_sigma=1.0)


def seeded(kind: str = "tuple", **options) -> ForeignModule:
    torch.manual_seed(3)
    return DictModule(**options) if kind == "dict" else ForeignModule(**options)


def by_hand(
    module: ForeignModule, kind: str, epochs: int = 2, batch_size: int = 8, autocast: bool = False
) -> torch.Tensor:
    """The training loop a user would write without any callback."""
    optimizer = module.configure_optimizers()
    module.train()
    data = Samples(32)
    for epoch in range(epochs):
        for start in range(0, 32, batch_size):
            images, targets = data.images[start : start + batch_size], data.targets[start : start + batch_size]
            indices = torch.arange(start, start + len(images)) if kind == "dict" else pixel_hash(images)
            seeds = fold(sample_seeds(mix(11, "augment", epoch), indices), "patch_gaussian")
            noisy = OP(images, seeds)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                loss = F.cross_entropy(module(noisy), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return weights(module)


@pytest.mark.parametrize("kind", ["tuple", "list", "dict"])
def test_equals_a_hand_written_loop_bit_for_bit(kind) -> None:
    module = seeded(kind)
    trainer([Augmentation(OP, seed=11)]).fit(module, loader(kind))
    assert torch.equal(weights(module), by_hand(seeded(kind), kind))
    plain = seeded(kind)
    trainer([]).fit(plain, loader(kind))
    assert not torch.equal(weights(module), weights(plain))


def test_equals_the_hand_written_loop_in_bfloat16() -> None:
    module = seeded()
    trainer([Augmentation(OP, seed=11)], precision="bf16-mixed").fit(module, loader())
    assert torch.equal(weights(module), by_hand(seeded(), "tuple", autocast=True))
    assert not torch.equal(weights(module), by_hand(seeded(), "tuple"))


def test_accumulation_agrees_with_the_larger_batch() -> None:
    small, large = seeded(), seeded()
    trainer([Augmentation(OP, seed=11)], accumulate_grad_batches=2).fit(small, loader(batch_size=8))
    trainer([Augmentation(OP, seed=11)]).fit(large, loader(batch_size=16))
    torch.testing.assert_close(weights(small), weights(large), atol=1e-6, rtol=0)


def test_two_processes_agree_with_one(tmp_path) -> None:
    """BatchNorm-free, dict batches with an index; measured difference about 3e-8."""
    script = Path(__file__).with_name("ddp_augmentation.py")
    subprocess.run(
        [sys.executable, str(script), str(tmp_path / "two.pt")], check=True, timeout=240, capture_output=True
    )
    single = seeded("dict")
    trainer([Augmentation(OP, seed=11)]).fit(single, loader("dict", batch_size=16))
    torch.testing.assert_close(torch.load(tmp_path / "two.pt"), weights(single), atol=1e-6, rtol=0)


def test_data_set_is_not_written_to() -> None:
    data = Samples(32)
    before = data.images.clone()
    batches = torch.utils.data.DataLoader([(data.images, data.targets)], batch_size=None)
    trainer([Augmentation(OP, seed=11)]).fit(seeded(), batches)
    assert torch.equal(data.images, before)


def test_epochs_differ_and_seeds_matter() -> None:
    assert not torch.equal(by_hand(seeded(), "tuple", epochs=1), by_hand(seeded(), "tuple", epochs=2))
    results = []
    for seed in (0, 0, 1):
        module = seeded()
        trainer([Augmentation(OP, seed=seed)]).fit(module, loader())
        results.append(weights(module))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


def test_seed_of_the_run_is_the_default(monkeypatch) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    assert Augmentation(OP).seed == 42
    monkeypatch.delenv("PL_GLOBAL_SEED")
    assert Augmentation(OP).seed == 0


def test_fit_twice_and_nothing_is_left() -> None:
    module, plain, callback = seeded(), seeded(), Augmentation(OP, seed=11)
    trainer([callback]).fit(module, loader())
    trainer([]).fit(plain, loader())
    assert set(vars(module)) == set(vars(plain))
    other = seeded()
    trainer([callback]).fit(other, loader())
    assert torch.equal(weights(other), weights(module))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_exception(error) -> None:
    class Fails(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
            raise error("stop")

    module = seeded()
    with pytest.raises((error, SystemExit)):
        trainer([Augmentation(OP), Fails()]).fit(module, loader())
    assert "training_step" not in vars(module) and "_robustlit_pipeline" not in vars(module)


def test_resume_in_mid_epoch_goes_on_with_the_epochs_draws(tmp_path) -> None:
    class Stops(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
            if trainer.global_step == 6:  # in the second epoch of four batches
                trainer.save_checkpoint(tmp_path / "middle.ckpt")
                raise RuntimeError("killed")

    broken = seeded()
    with pytest.raises(RuntimeError, match="killed"):
        trainer([Augmentation(OP, seed=11), Stops()]).fit(broken, loader())
    epochs = []

    class Watches(pl.Callback):
        def on_before_zero_grad(self, trainer, pl_module, optimizer) -> None:
            epochs.append(callback._epoch)

    callback, resumed = Augmentation(OP, seed=11), seeded()
    trainer([callback, Watches()]).fit(resumed, loader(), ckpt_path=tmp_path / "middle.ckpt")
    assert epochs and set(epochs) == {1}


class CopyInFit(pl.Callback):
    """Copies the module in the middle of a fit, as weight averaging does."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx == 1:
            self.copied, self.pickled = copy.deepcopy(pl_module), pickle.loads(pickle.dumps(pl_module))


def test_copies_made_in_fit_train_their_own_weights() -> None:
    watcher, module = CopyInFit(), seeded()
    trainer([Augmentation(OP, seed=11), watcher], max_epochs=1).fit(module, loader())
    trained = weights(module)
    for other in (watcher.copied, watcher.pickled):
        other.train()
        before = weights(other)
        trainer([], max_epochs=1).fit(other, loader())
        assert not torch.equal(weights(other), before)
    assert torch.equal(weights(module), trained)
    fitted = seeded()
    copied = copy.deepcopy(watcher.copied)
    copied.load_state_dict(fitted.state_dict())
    trainer([Augmentation(OP, seed=11)]).fit(copied, loader())
    assert torch.equal(weights(copied), by_hand(seeded(), "tuple"))


def test_weight_averaging_beside_it() -> None:
    """The averaged model equals an average taken by hand over the augmented run's weights."""

    class AverageByHand(pl.Callback):
        average = None

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
            now = weights(pl_module)
            self.average = now if self.average is None else 0.5 * self.average + 0.5 * now

    averaged, plain, by_hand = seeded(), seeded(), AverageByHand()
    trainer([Augmentation(OP, seed=11), EMAWeightAveraging(decay=0.5)]).fit(averaged, loader())
    trainer([Augmentation(OP, seed=11), by_hand]).fit(plain, loader())
    torch.testing.assert_close(weights(averaged), by_hand.average, atol=1e-6, rtol=0)
    assert not torch.equal(weights(averaged), weights(plain)) and "training_step" not in vars(averaged)


def test_compiled_module_keeps_its_compiled_step() -> None:
    class CompiledSteps(pl.Callback):
        def setup(self, trainer, pl_module, stage) -> None:
            self.before = vars(pl_module)["training_step"]

        def teardown(self, trainer, pl_module, stage) -> None:
            self.after = vars(pl_module)["training_step"]

    module, steps = seeded(), CompiledSteps()
    compiled = torch.compile(module, backend="eager")
    trainer([steps, Augmentation(OP, seed=11), steps_after := CompiledSteps()]).fit(compiled, loader())
    assert torch.equal(weights(module), by_hand(seeded(), "tuple"))
    assert steps.before is steps_after.after and steps.before is not steps_after.before
    assert "_robustlit_pipeline" not in vars(module)


def test_normalised_foreign_module() -> None:
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    data = [((image - 0.5) / 0.25, target) for image, target in Samples(16)]
    batches = torch.utils.data.DataLoader(data, batch_size=8)
    with pytest.raises(ValueError, match=r"looks normalised; try Adapter\(mean"):
        trainer([Augmentation(OP)]).fit(seeded(), batches)

    class SeesPixels(pl.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
            handle = pl_module.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0] * 0.25 + 0.5))
            handles.append(handle)

    seen, handles, pixels = [], [], Samples(16)
    trainer([Augmentation(OP, seed=11, adapter=Adapter(mean=mean, std=std)), SeesPixels()], max_epochs=1).fit(
        seeded(), torch.utils.data.DataLoader(data, batch_size=16)
    )
    normalised = torch.stack([image for image, _ in data])
    seeds = fold(sample_seeds(mix(11, "augment", 0), pixel_hash(normalised)), "patch_gaussian")
    torch.testing.assert_close(seen[0], OP(pixels.images, seeds), atol=1e-5, rtol=0)


def test_operations_in_every_form() -> None:
    assert list(Augmentation(OP).operations) == ["patch_gaussian"]
    assert list(Augmentation([OP, OP]).operations) == ["patch_gaussian", "patch_gaussian_2"]
    assert list(Augmentation({"mine": OP}).operations) == ["mine"]
    assert Augmentation([]).operations == {}
    with pytest.raises(TypeError, match="expected augmentations such as PatchGaussian"):
        Augmentation([torch.nn.Identity()])


def test_without_operations_the_module_is_not_wrapped() -> None:
    class Looks(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, *_) -> None:
            self.wrapped = "training_step" in vars(pl_module)

    watcher = Looks()
    trainer([Augmentation([]), watcher], max_epochs=1).fit(seeded(), loader())
    assert not watcher.wrapped


@pytest.mark.parametrize("operation", [AugMix(), PRIME(), RandomConvolution(), OP], ids=lambda op: type(op).__name__)
def test_in_a_step_of_true_bfloat16_draws_and_pixels_are_those_of_float32(operation) -> None:
    images, seeds = Samples(8).images, sample_seeds(1, torch.arange(8))
    expected = run_chain({"it": operation}, images, None, seeds).images
    with HalfPrecision("bf16-true").train_step_context():
        assert torch.get_default_dtype() == torch.bfloat16
        assert torch.equal(run_chain({"it": operation}, images, None, seeds).images, expected)
        assert torch.equal(operation(images, fold(seeds, "it")), expected)
