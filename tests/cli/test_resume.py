"""A run that was killed and resumed ends with the bits of the unbroken one."""

import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.cli.main import main


class Killed(pl.Callback):
    """Ends the run in mid-epoch, where a kill would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if trainer.global_step == self.step:
            raise RuntimeError("killed")


def weights(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def points(folder, key):
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars(key)]


def kill_at(step, monkeypatch):
    """Add the callback behind the configuration's back, so that the saved configuration does not have it."""
    from robustlit.cli import build

    honest = build.build_trainer

    def with_kill(cfg, *, callbacks, **extra):
        return honest(cfg, callbacks=[*callbacks, Killed(step)], **extra)

    monkeypatch.setattr(build, "build_trainer", with_kill)


@pytest.mark.parametrize("step", [0, 3, 8])  # before the first checkpoint, in the first epoch, in the second
def test_resumed_weights_and_curves_equal_the_unbroken_run(step, train, finished, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        kill_at(step, patch)
        assert train(f"hydra.run.dir={folder}", "callbacks.last_checkpoint.every_n_train_steps=2") == 1
    assert not (folder / "results.json").exists()
    assert main(["train", f"resume={folder}"]) == 0
    assert same(weights(folder), weights(finished))
    assert points(folder, "val/accuracy") == points(finished, "val/accuracy")
    assert ("from the beginning" in capsys.readouterr().out) == (step == 0)


def test_a_finished_run_can_be_trained_further(train, tmp_path):
    folder = tmp_path / "run"
    assert train(f"hydra.run.dir={folder}", "trainer.max_epochs=1", "task.schedule=null") == 0
    assert main(["train", f"resume={folder}", "trainer.max_epochs=2"]) == 0
    longer = tmp_path / "longer"
    assert train(f"hydra.run.dir={longer}", "task.schedule=null") == 0
    assert same(weights(folder), weights(longer))


def test_only_the_trainer_may_change(finished, capsys):
    assert main(["train", f"resume={finished}", "seed=1"]) == 2
    assert "expected only trainer.KEY=VALUE" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_kill_9_is_survived(workers):
    script = str(Path(__file__).parents[2] / "scripts" / "bench" / "kill_resume.py")
    command = [sys.executable, script, "--kills", "2", "--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
