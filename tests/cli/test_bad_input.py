"""Whatever is wrong with the input: one line on stderr, exit code 2, nothing overwritten."""

import pytest

from robustlit.cli.errors import describe, exit_code
from robustlit.cli.main import main

COMPOSITION = {
    "trainer.max_epoch=1": "unknown key 'trainer.max_epoch'; did you mean 'trainer.max_epochs'?",
    "max_epochs=1": "did you mean 'trainer.max_epochs'?",
    "dataa=shapes": "did you mean 'data'?",
    "data=shapess": "unknown data 'shapess'; did you mean 'shapes",
    "model=smal_cnn": "did you mean 'small_cnn'?",
    "experiment=quickstrat": "did you mean 'quickstart'?",
    "augmentation=[patch_gausian]": "did you mean 'patch_gaussian'?",
    "~callbacks.step_sed": "did you mean 'callbacks.step_seed'?",
    "data.train_size=[1": "cannot read 'data.train_size=[1'",
    "quickstart": "cannot read 'quickstart'",
    "--epochs": "unknown option '--epochs'",
    "hydra.run.dir=/dev/null/run": "hydra.run.dir: cannot make the run folder: Not a directory",
    "resume=nowhere": "resume: expected a run folder, got 'nowhere'",
}


@pytest.mark.parametrize(("argument", "message"), COMPOSITION.items())
def test_what_cannot_be_composed_is_one_line(argument, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", argument]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("robustlit: ")
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_must_be_given_is_named(tmp_path, capsys):
    assert main(["train", "data=image_folder", f"hydra.run.dir={tmp_path / 'run'}"]) == 2
    assert capsys.readouterr().err == "robustlit: data.path: expected a value, got none; try data.path=VALUE\n"


BUILDING = {
    "+data.sice=1": "data: ",
    "data.batch_size=0": "data: expected batch_size of at least 1, got 0",
    "trainer.max_epochs=many": "trainer.max_epochs: expected a whole number, got 'many'",
    "trainer.accelerator=quantum": "trainer: ",
    "task=segmentation": "try task=classification",
}


@pytest.mark.parametrize(("argument", "message"), BUILDING.items())
def test_what_cannot_be_built_names_its_section(argument, message, train, tmp_path, capsys):
    assert train(f"hydra.run.dir={tmp_path / 'run'}", argument) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("robustlit: ")]
    assert len(lines) == 1
    assert message in lines[0]


def test_data_that_are_not_there_name_the_setting(tmp_path, capsys):
    run = f"hydra.run.dir={tmp_path / 'run'}"
    assert main(["train", "data=image_folder", f"data.path={tmp_path / 'nothing'}", run]) == 2
    assert "robustlit: data: " in capsys.readouterr().err


def test_a_run_is_never_overwritten(train, finished, capsys):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and ".hydra" not in path.parts}
    assert train(f"hydra.run.dir={finished}") == 2
    assert "already holds a run" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in before}


def test_in_a_sweep_the_other_jobs_go_on(train, tmp_path, capsys):
    assert train("-m", "task.optimizer.lr=-1,0.1", f"hydra.sweep.dir={tmp_path}") == 2
    assert "robustlit: job 0 (" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*/results.json"))) == 1
    assert len(list(tmp_path.glob("*/config.yaml"))) == 2


def test_a_sweep_over_several_processes_is_refused(train, tmp_path, capsys):
    assert train("-m", "seed=0", "trainer.devices=2", "trainer.strategy=ddp", f"hydra.sweep.dir={tmp_path}") == 2
    assert "trainer.devices: expected 1 in a sweep, got 2" in capsys.readouterr().err


def test_full_error_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert main(["train", "data=nope"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_unexpected_gives_its_type_and_exit_code_1():
    assert describe(RuntimeError("a\nb")) == "unexpected RuntimeError: a b; set HYDRA_FULL_ERROR=1 to see where"
    assert exit_code(RuntimeError()) == 1
    assert exit_code(ValueError()) == 2
