import csv
import os
from pathlib import Path

import pytest
import torch
from callbacks_helpers import Foreign, fit, weights
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EMAWeightAveraging

from robustlit.callbacks import BestCheckpoint, EarlyStopping, LastCheckpoint, MetricsCSV, StepSeed


class Kill(Callback):
    """Stands in for kill -9: leaves fit by an exception at the start of a step."""

    def __init__(self, epoch, batch):
        self.at = (epoch, batch)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.at:
            raise RuntimeError("killed")


def names(folder):
    return sorted(path.name for path in (Path(folder) / "checkpoints").iterdir())


def load(folder, name):
    return torch.load(Path(folder) / "checkpoints" / name, weights_only=True)


@pytest.mark.parametrize("at", [(1, 0), (2, 1)])
@pytest.mark.parametrize("ema", [False, True])
def test_resumed_run_ends_with_the_weights_of_the_unbroken_one(tmp_path, at, ema):
    def callbacks():
        averaging = [EMAWeightAveraging(decay=0.9)] if ema else []
        return [StepSeed(3), LastCheckpoint(), BestCheckpoint("val/loss", mode="min"), *averaging]

    _, unbroken = fit(tmp_path / "a", callbacks(), epochs=3)
    with pytest.raises(RuntimeError, match="killed"):
        fit(tmp_path / "b", [*callbacks(), Kill(*at)], epochs=3)
    trainer, resumed = fit(
        tmp_path / "b", callbacks(), epochs=3, ckpt_path=tmp_path / "b/checkpoints/last.ckpt", module=Foreign()
    )
    assert torch.equal(weights(unbroken), weights(resumed))
    assert names(tmp_path / "a") == names(tmp_path / "b") == ["best_clean.ckpt", "last.ckpt"]
    for name in names(tmp_path / "a"):
        one, other = load(tmp_path / "a", name)["state_dict"], load(tmp_path / "b", name)["state_dict"]
        assert all(torch.equal(one[key], other[key]) for key in one)
    assert trainer.optimizers[0].param_groups[0]["lr"] == 0.1 * 0.5**3


def test_best_file_holds_the_averaged_weights(tmp_path):
    fit(tmp_path, [EMAWeightAveraging(decay=0.9), BestCheckpoint("val/loss", mode="min"), LastCheckpoint()])
    checkpoint = load(tmp_path, "best_clean.ckpt")
    assert not torch.equal(checkpoint["state_dict"]["net.0.weight"], checkpoint["current_model_state"]["net.0.weight"])


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("val/loss", "min"),
        ("val_loss", "min"),
        ("val/loss_epoch", "min"),
        ("val/calibration_error", "min"),
        ("val/accuracy", "max"),
        ("robust/corruption/extra_mean", "max"),
        ("val/iou/glosses", "max"),
    ],
)
def test_the_better_direction_follows_from_the_key_unless_it_is_given(key, mode):
    other = {"min": "max", "max": "min"}[mode]
    for callback in (BestCheckpoint, EarlyStopping):
        assert callback(key).mode == mode
        assert callback(key, mode=other).mode == other


def test_the_lowest_loss_is_kept_without_being_told(tmp_path):
    best = BestCheckpoint("val/loss")
    fit(tmp_path, [best, MetricsCSV()], epochs=3)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        losses = [float(row["val/loss"]) for row in csv.DictReader(file)]
    assert float(best.best_model_score) == pytest.approx(min(losses), rel=1e-6)
    assert load(tmp_path, "best_clean.ckpt")["epoch"] == losses.index(min(losses))


def test_epochs_without_a_fresh_value_are_skipped(tmp_path):
    # logged after epochs 1 and 3; epoch 3 is worse, so the file must be that of epoch 1, and epoch 0 is no error
    best = BestCheckpoint("robust/mean")
    fit(tmp_path, [best], module=Foreign(log_every=2, scores=(0, 0.7, 0, 0.6)), epochs=4)
    assert load(tmp_path, "best_clean.ckpt")["epoch"] == 1
    assert float(best.best_model_score) == pytest.approx(0.7)


def test_a_stale_value_is_never_taken_for_a_new_one(tmp_path):
    class Counting(BestCheckpoint):
        looks = 0

        def check_monitor_top_k(self, trainer, current=None):
            self.looks += 1
            return super().check_monitor_top_k(trainer, current)

    first, second = Counting("robust/mean"), Counting("robust/mean", mode="min", filename="worst")
    fit(
        tmp_path,
        [first, second, BestCheckpoint("val/loss")],
        module=Foreign(log_every=2, scores=(0, 0.7, 0, 0.6, 0)),
        epochs=5,
    )
    assert first.looks == second.looks == 2


def test_best_score_survives_a_resume_even_in_a_moved_folder(tmp_path):
    scores = (0.9, 0.2, 0.3)
    fit(tmp_path / "old", [BestCheckpoint("robust/mean"), LastCheckpoint()], module=Foreign(scores=scores), epochs=2)
    (tmp_path / "old").rename(tmp_path / "new")
    best = BestCheckpoint("robust/mean")
    last = tmp_path / "new/checkpoints/last.ckpt"
    fit(tmp_path / "new", [best, LastCheckpoint()], module=Foreign(scores=scores), epochs=3, ckpt_path=last)
    assert load(tmp_path / "new", "best_clean.ckpt")["epoch"] == 0
    assert float(best.best_model_score) == pytest.approx(0.9)
    assert best.best_model_path == os.path.realpath(tmp_path / "new/checkpoints/best_clean.ckpt")


def test_a_key_that_never_came_is_an_error_that_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="'robust/maen'; try 'robust/mean'"):
        fit(tmp_path, [BestCheckpoint("robust/maen")], module=Foreign(scores=(0.1, 0.2)))


def test_an_interrupted_write_leaves_the_earlier_file_whole(tmp_path, monkeypatch):
    fit(tmp_path, [LastCheckpoint()], epochs=1)

    def half_written(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", half_written)
    with pytest.raises(OSError, match="disk full"):
        fit(tmp_path, [LastCheckpoint()], epochs=2, ckpt_path=tmp_path / "checkpoints/last.ckpt")
    assert load(tmp_path, "last.ckpt")["epoch"] == 0


@pytest.mark.parametrize(
    ("settings", "expected"), [({"every_n_train_steps": 2}, 2), ({"every_n_minutes": 1e-9}, 2), ({}, None)]
)
def test_last_checkpoint_inside_an_epoch(tmp_path, settings, expected):
    # 3 steps an epoch: a save after step 2 is inside, one after step 3 would be the last batch
    with pytest.raises(RuntimeError, match="killed"):
        fit(tmp_path, [LastCheckpoint(**settings), Kill(0, 2)])
    path = tmp_path / "checkpoints/last.ckpt"
    assert (load(tmp_path, "last.ckpt")["global_step"] if path.exists() else None) == expected


def test_last_checkpoint_does_not_split_an_accumulated_step(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        fit(tmp_path, [LastCheckpoint(every_n_minutes=1e-9), Kill(0, 1)], accumulate_grad_batches=2)
    assert not (tmp_path / "checkpoints/last.ckpt").exists()


def test_last_checkpoint_refuses_an_interval_of_zero():
    with pytest.raises(ValueError, match="expected every_n_minutes > 0 or null, got 0"):
        LastCheckpoint(every_n_minutes=0)


def test_patience_counts_evaluations(tmp_path):
    # evaluations after epochs 1, 3, 5, 7: the second and third without improvement use up a patience of 2
    module = Foreign(log_every=2, scores=(0, 0.7, 0, 0.6, 0, 0.6, 0, 0.9))
    trainer, _ = fit(tmp_path, [EarlyStopping("robust/mean", patience=2)], module=module, epochs=8)
    assert trainer.current_epoch == 6


def test_early_stopping_keeps_counting_after_a_resume(tmp_path):
    scores = (0.7, 0.6, 0.6, 0.6, 0.6)
    fit(tmp_path, [EarlyStopping("robust/mean", patience=3), LastCheckpoint()], module=Foreign(scores=scores), epochs=3)
    last = tmp_path / "checkpoints/last.ckpt"
    trainer, _ = fit(
        tmp_path, [EarlyStopping("robust/mean", patience=3)], module=Foreign(scores=scores), epochs=5, ckpt_path=last
    )
    assert trainer.current_epoch == 4
