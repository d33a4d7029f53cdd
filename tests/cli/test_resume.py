"""A run that was killed and resumed ends with the bits of the unbroken one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.cli import run
from robustlit.cli.main import main
from robustlit.cli.paths import program
from robustlit.reports import Results


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


def test_a_finished_run_can_be_trained_further_even_if_it_is_killed(train, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    assert train(f"hydra.run.dir={folder}", "trainer.max_epochs=1", "task.schedule=null") == 0
    with monkeypatch.context() as patch:
        kill_at(7, patch)
        assert main(["train", f"resume={folder}", "trainer.max_epochs=2"]) == 1
    assert not (folder / "results.json").exists()
    assert main(["train", f"resume={folder}"]) == 0  # the two epochs are in the saved configuration by now
    longer = tmp_path / "longer"
    assert train(f"hydra.run.dir={longer}", "task.schedule=null") == 0
    assert same(weights(folder), weights(longer))
    assert Results.read(folder / "results.json").epochs == 2


def test_fewer_epochs_than_were_trained_are_refused_and_nothing_changes(finished, capsys):
    files = [finished / name for name in ("config.yaml", "results.json", "metrics.csv", "checkpoints/last.ckpt")]
    before = [path.read_bytes() for path in files]
    assert main(["train", f"resume={finished}", "trainer.max_epochs=1"]) == 2
    error = capsys.readouterr().err
    assert error == ("robustlit: trainer.max_epochs: expected at least the 2 that the run has begun, got 1; try 3\n")
    assert [path.read_bytes() for path in files] == before


def test_a_kill_during_the_tests_loses_no_fact_of_the_training(train, finished, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(run, "run_evaluations", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        assert train(f"hydra.run.dir={folder}") == 1
    assert main(["train", f"resume={folder}"]) == 0
    one, other = Results.read(folder / "results.json"), Results.read(finished / "results.json")
    assert one.validation == other.validation
    assert "val/accuracy" in one.validation
    assert (one.epochs, one.steps, one.tests) == (2, 10, other.tests)
    assert one.selected_on == other.selected_on
    assert one.seconds > 0


def test_only_what_does_not_change_the_result_may_change(finished, capsys):
    assert main(["train", f"resume={finished}", "seed=1"]) == 2
    assert "expected only trainer.KEY=VALUE, data.path=PATH or data.num_workers=N" in capsys.readouterr().err
    assert main(["train", f"resume={finished}", "data.num_workers=1"]) == 0


def test_a_run_can_be_resumed_from_another_directory(train_photos, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train_photos("data.path=photos", "hydra.run.dir=run") == 0
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["data"]["path"] == str(photos)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["train", "resume=../run", "trainer.max_epochs=2"]) == 0
    photos.rename(tmp_path / "moved")
    assert main(["train", "resume=../run", "trainer.max_epochs=3", "data.path=../moved"]) == 0
    assert main(["evaluate", "../run", "data.path=../moved", "data.num_workers=0"]) == 0
    assert Results.read(tmp_path / "run" / "results.json").epochs == 3


def test_ctrl_c_says_how_to_go_on(train, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    monkeypatch.setattr(Killed, "on_train_batch_start", interrupt)
    kill_at(0, monkeypatch)
    before = signal.getsignal(signal.SIGINT)
    try:
        assert train(f"hydra.run.dir={folder}") == 130
    finally:
        signal.signal(signal.SIGINT, before)  # Lightning leaves it ignored
    assert f"robustlit: interrupted; try {program()} train resume={folder}\n" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_kill_9_is_survived(workers):
    script = str(Path(__file__).parents[2] / "scripts" / "bench" / "kill_resume.py")
    command = [sys.executable, script, "--kills", "2", "--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
