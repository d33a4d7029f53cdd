"""AdversarialEvaluation: scores as by hand, on the same images every time, and nothing left of it."""

import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from adversarial_evaluation_helpers import FEW, data, evaluated, reloaded
from callbacks_helpers import Foreign, board, fit, images, weights
from pytorch_lightning.callbacks import EMAWeightAveraging
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from robustlit.attacks import PGD, SegPGD, Square
from robustlit.callbacks import AdversarialEvaluation, BestCheckpoint
from robustlit.core import Adapter
from robustlit.core.random import sample_seeds
from robustlit.metrics.interval import wilson


def test_scores_are_those_of_a_loop_by_hand(tmp_path):
    callback = AdversarialEvaluation(FEW, images=None, eps_curve=(0.02,), batch_size=24)
    found, module = evaluated(tmp_path, callback)
    module.eval()
    pixels, targets = images(24, 16).tensors
    seeds = sample_seeds(0, torch.arange(24))

    def accuracy(batch):
        with torch.no_grad():
            return float((module(batch).argmax(1) == targets).float().mean())

    assert found["robust/adversarial/clean"] == accuracy(pixels)
    for name, attack in zip(("fgsm", "pgd"), FEW, strict=True):
        by_hand = accuracy(attack(module, pixels, targets, seed=seeds))
        assert found[f"robust/adversarial/{name}"] == by_hand
        assert found[f"robust/gap/adversarial_{name}"] == pytest.approx(accuracy(pixels) - by_hand)
    curve = accuracy(PGD(eps=0.02, steps=3)(module, pixels, targets, seed=seeds))
    assert found["robust/eps_curve/0.02"] == curve
    square = accuracy(Square(eps=0.1, queries=30)(module, pixels, targets, seed=seeds))
    assert found["alarm/black_box_gain"] == pytest.approx(found["robust/adversarial/pgd"] - square)
    grey = accuracy(PGD(eps=0.5, steps=3)(module, pixels, targets, seed=seeds))
    assert found["alarm/large_eps_score"] == grey


def test_weights_are_bit_identical_with_and_without(tmp_path):
    _, plain = fit(tmp_path / "a", [], data=data(), validation=data())
    watching = AdversarialEvaluation(FEW, images=8, eps_curve=(0.02,))
    _, watched = fit(tmp_path / "b", [watching], data=data(), validation=data(), logger=board(tmp_path / "b"))
    assert torch.equal(weights(plain), weights(watched))


def test_the_same_images_every_epoch_and_all_that_is_promised_in_tensorboard(tmp_path):
    seen = []

    class Remembering(AdversarialEvaluation):
        def look(self, trainer, pl_module, chunk):
            seen.append(chunk.ids.tolist())
            super().look(trainer, pl_module, chunk)

    callback = Remembering(FEW, images=10, batch_size=5, eps_curve=(0.02, 0.05))
    fit(tmp_path, [callback], epochs=2, data=data(), validation=data(), logger=board(tmp_path))
    assert seen[:2] * 2 == seen
    events = reloaded(tmp_path)
    assert {"robust/adversarial_images", "robust/eps_curve"} <= set(events.Tags()["images"])
    card = events.Tensors("robust/adversarial/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| `robust/adversarial/pgd` | PGD | linf | 0.1 | 3 | 0.08333 | 1 | ce | " in card
    score = events.Scalars("robust/adversarial/pgd")[0].value
    assert f"| ce | {score:.3f} ({wilson(round(10 * score), 10)[0]:.3f} to " in card
    assert all(line.count("|") == 10 for line in card.split("\n") if line.startswith("|"))
    assert "n = 10, evaluation seed 0, float32" in card
    scalars = {key for key in events.Tags()["scalars"] if key.startswith("alarm/")}
    signals = {
        "fgsm_pgd_gap",
        "pgd_left_of_fgsm",
        "pgd_drop",
        "gradient_alignment",
        "train_val_gap",
        "zero_gradients",
        "black_box_gain",
    }
    signals |= {"large_eps_score", "loss_growth"}
    fired = {f"{name}_fired" for name in ("catastrophic_overfitting", "robust_overfitting", "gradient_masking")}
    assert scalars == {f"alarm/{name}" for name in signals | fired}
    assert len(events.Scalars("alarm/pgd_drop")) == 1  # there is none at the first evaluation


def test_every_n_epochs_and_a_checkpoint_by_its_key(tmp_path):
    best = BestCheckpoint("robust/adversarial/pgd", filename="best_robust")
    callback = AdversarialEvaluation(FEW, images=8, every_n_epochs=2, pictures=False, alarms=False)
    fit(tmp_path, [callback, best], epochs=4, data=data(), validation=data(), logger=board(tmp_path))
    assert (tmp_path / "checkpoints/best_robust.ckpt").is_file()
    assert len(reloaded(tmp_path).Scalars("robust/adversarial/pgd")) == 2


def test_averaged_weights_are_attacked_and_must_come_last(tmp_path):
    callback = AdversarialEvaluation(FEW, images=None, alarms=False, batch_size=24)
    best = BestCheckpoint("robust/adversarial/pgd", filename="best_robust")
    averaging = EMAWeightAveraging(decay=0.9)
    trainer, module = fit(tmp_path, [callback, best, averaging], epochs=1, data=data(), validation=data())
    saved = torch.load(tmp_path / "checkpoints/best_robust.ckpt", weights_only=False)["state_dict"]
    module.load_state_dict(saved)
    pixels, targets = images(24, 16).tensors
    module.eval()
    with torch.no_grad():
        attacked = FEW[1](module, pixels, targets, seed=sample_seeds(0, torch.arange(24)))
        by_hand = float((module(attacked).argmax(1) == targets).float().mean())
    assert float(trainer.callback_metrics["robust/adversarial/pgd"]) == by_hand
    with pytest.raises(ValueError, match="expected EMAWeightAveraging after AdversarialEvaluation"):
        fit(tmp_path, [EMAWeightAveraging(), AdversarialEvaluation(FEW)], epochs=1, data=data(), validation=data())


@pytest.mark.parametrize("run", ["validate", "test"])
def test_it_works_in_validate_and_test_under_inference_mode_without_alarms(run, tmp_path):
    class Tested(Foreign):
        def test_step(self, batch, batch_idx):
            self.validation_step(batch, batch_idx)

    module, trainer = (
        Tested(),
        pl.Trainer(
            default_root_dir=tmp_path,
            callbacks=[AdversarialEvaluation(FEW, images=8, eps_curve=(0.02,))],
            accelerator="cpu",
            logger=board(tmp_path),
            enable_progress_bar=False,
        ),
    )
    before = weights(module)
    getattr(trainer, run)(module, data(), verbose=False)
    prefix = "test/" if run == "test" else ""  # figures of the test split are not to continue the validation's curves
    robust = {key for key in trainer.callback_metrics if "robust/" in key}
    assert f"{prefix}robust/adversarial/pgd" in robust
    assert all(key.startswith(f"{prefix}robust/") for key in robust)
    events = reloaded(tmp_path)
    assert set(events.Tags()["images"]) == {f"{prefix}robust/adversarial_images", f"{prefix}robust/eps_curve"}
    card = events.Tensors(f"{prefix}robust/adversarial/text_summary")[0].tensor_proto.string_val[0].decode()
    assert f"| `{prefix}robust/adversarial/pgd` |" in card
    assert not [key for key in trainer.callback_metrics if key.startswith("alarm/")]
    assert torch.equal(before, weights(module))
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())


class Masks(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Conv2d(3, 4, 3, padding=1)
        self.adapter = Adapter(task="segmentation", ignore_index=255)

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1], ignore_index=255)

    def validation_step(self, batch, batch_idx):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_masks_are_attacked_by_seg_pgd_and_ignored_pixels_do_not_count(tmp_path):
    pixels = torch.rand(8, 3, 16, 16)
    masks = torch.randint(4, (8, 16, 16))
    masks[:, :3] = 255
    loader = DataLoader(TensorDataset(pixels, masks), batch_size=4)
    callback = AdversarialEvaluation(images=None)
    found, module = evaluated(
        tmp_path, callback, module=Masks(), data=loader, validation=loader, logger=board(tmp_path)
    )
    assert isinstance(callback.attacks["seg_pgd"], SegPGD)
    attack = SegPGD(steps=10, ignore_index=255)
    halves = [(pixels[part], masks[part], torch.arange(8)[part]) for part in (slice(4), slice(4, 8))]
    predicted = torch.cat([module(attack(module, x, y, seed=sample_seeds(0, ids))).argmax(1) for x, y, ids in halves])
    ious = []
    for label in range(4):
        true, said = (masks == label) & (masks != 255), (predicted == label) & (masks != 255)
        ious.append(float((true & said).sum() / (true | said).sum()))
    assert found["robust/adversarial/seg_pgd"] == pytest.approx(sum(ious) / 4, abs=1e-6)
    assert "robust/adversarial_images" in reloaded(tmp_path).Tags()["images"]


def test_several_labels_are_attacked_too(tmp_path):
    class Labels(Foreign):
        def __init__(self):
            super().__init__()
            self.adapter = Adapter(task="multilabel")

        def training_step(self, batch, batch_idx):
            return F.binary_cross_entropy_with_logits(self(batch[0]), batch[1])

        def validation_step(self, batch, batch_idx):
            pass

    pixels = torch.rand(12, 3, 16, 16)
    loader = DataLoader(TensorDataset(pixels, (torch.rand(12, 3) > 0.5).float()), batch_size=4)
    settings = {"module": Labels(), "data": loader, "validation": loader, "logger": board(tmp_path)}
    found, _ = evaluated(tmp_path, AdversarialEvaluation(FEW, images=None), **settings)
    assert found["robust/adversarial/pgd"] < found["robust/adversarial/clean"]


def test_two_processes_give_the_figures_of_one(tmp_path):
    script = Path(__file__).parent / "ddp_adversarial.py"
    for processes in (1, 2):
        run = subprocess.run(
            [sys.executable, str(script), str(tmp_path / f"{processes}.pt"), str(processes)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr[-2000:]
    one, two = torch.load(tmp_path / "1.pt"), torch.load(tmp_path / "2.pt")
    assert len(one) > 14
    assert {key for key in one if key.startswith("robust/")} >= {"robust/adversarial/pgd", "robust/eps_curve/0.002"}
    assert 0 < one["robust/adversarial/pgd"] < one["robust/adversarial/clean"]
    assert one.keys() == two.keys()
    for key, value in one.items():
        assert two[key] == (pytest.approx(value, abs=1e-4) if key.startswith("alarm/") else value), key
