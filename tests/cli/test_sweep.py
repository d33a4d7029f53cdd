"""A sweep: a job that fails is told and not the end, a stopped one goes on, a finished one is left alone."""

import json
import signal
from pathlib import Path

import pytest
import pytorch_lightning as pl

from robustlit.cli.main import main
from robustlit.cli.sweep_plan import asks_for_a_sweep, make_plan, typed_words

TINY = (
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "data.train_size=16",
    "data.val_size=8",
    "data.test_size=8",
    "data.batch_size=8",
    "model.width=4",
    "callbacks=[step_seed,augmentation,metrics_csv,best_checkpoint,last_checkpoint]",
    "evaluation=[none]",
)


@pytest.fixture
def sweep(cache, tmp_path):
    """Run a tiny sweep in tmp_path/sweep, in this process."""
    fixed = ["train", "-m", f"data.cache_dir={cache}", f"hydra.sweep.dir={tmp_path / 'sweep'}", *TINY]

    def start(*arguments: str) -> int:
        return main([*fixed, *arguments])

    return start


def results(folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/results.json")}


def test_a_failed_job_is_written_down_and_only_it_is_tried_again(sweep, tmp_path, capsys):
    command = ("task.optimizer.lr=-1,0.1", "seed=3")
    assert sweep(*command) == 2
    captured = capsys.readouterr()
    (file,) = (tmp_path / "sweep").glob("*/failure.json")
    failure = json.loads(file.read_text())
    assert failure["error"].startswith("Invalid learning rate: -1")
    assert failure["overrides"][-2:] == ["task.optimizer.lr=-1", "seed=3"]
    assert "Invalid learning rate" in Path(failure["traceback"]).read_text()
    assert "robustlit: job 1 of 2 (-1 seed 3): Invalid learning rate" in captured.err
    last = captured.err.splitlines()[-1]
    assert last.startswith("robustlit: 1 of 2 jobs failed, the first being job 1 (-1 seed 3): Invalid learning rate")
    assert f"train resume={tmp_path / 'sweep'}" in last
    assert "job 1 failed: Invalid learning rate" in captured.out
    before = results(tmp_path / "sweep")
    assert len(before) == 1
    assert sweep(*command) == 2
    assert "which the same command began (1 of 2 jobs finished)" in capsys.readouterr().out
    assert results(tmp_path / "sweep") == before


class Interrupt(pl.Callback):
    """Ctrl-C in the second epoch of the run with a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if trainer.current_epoch == 1 and trainer.datamodule.seed == self.seed:
            raise KeyboardInterrupt


def test_a_stopped_sweep_goes_on_without_repeating_a_job(sweep, tmp_path, monkeypatch, capsys):
    from robustlit.cli import build

    honest = build.build_trainer
    with monkeypatch.context() as patch:
        stop = Interrupt(seed=2)
        patch.setattr(
            build, "build_trainer", lambda cfg, **kw: honest(cfg, **{**kw, "callbacks": [*kw["callbacks"], stop]})
        )
        before = signal.getsignal(signal.SIGINT)
        try:
            assert sweep("seed=1,2,3") == 130
        finally:
            signal.signal(signal.SIGINT, before)  # Lightning leaves it ignored
    assert (
        f"robustlit: interrupted; try robustlit train resume={tmp_path / 'sweep'}"
        in capsys.readouterr().err.replace(program_here(), "robustlit")
    )
    first = results(tmp_path / "sweep")
    assert len(first) == 1
    assert main(["train", f"resume={tmp_path / 'sweep'}"]) == 0
    again = results(tmp_path / "sweep")
    assert len(again) == 3
    assert first.items() <= again.items()
    out = capsys.readouterr().out
    assert out.count("Resuming small_cnn on shapes from its last checkpoint") == 1
    assert out.count("Training small_cnn on shapes") == 1
    assert "3 jobs: 3 finished" in out


def program_here():
    from robustlit.cli.paths import program

    return program()


def test_a_resumed_sweep_refuses_another_setting_and_a_folder_another_sweep(sweep, tmp_path, capsys):
    assert sweep("trainer.max_epochs=few,many") == 2
    capsys.readouterr()
    assert main(["train", f"resume={tmp_path / 'sweep'}", "seed=1"]) == 2
    assert "expected only sweep=NAME, jobs.KEY=VALUE or hydra.launcher.KEY=VALUE" in capsys.readouterr().err
    assert sweep("trainer.max_epochs=few,more") == 2
    assert "holds another sweep" in capsys.readouterr().err


def test_a_plan_lists_the_jobs_and_what_differs(tmp_path):
    plan = make_plan(["experiment=quickstart", "augmentation=none,augmix", "seed=range(1,3)", "hydra.sweep.dir=x"])
    assert plan.jobs is not None
    assert [job[1:] for job in plan.jobs] == [
        ("augmentation=none", "seed=1"),
        ("augmentation=none", "seed=2"),
        ("augmentation=augmix", "seed=1"),
        ("augmentation=augmix", "seed=2"),
    ]
    assert plan.differ == ("augmentation", "seed")
    assert (plan.total, plan.at_once, plan.is_here) == (4, 1, True)


def test_a_grid_can_be_a_file_of_the_users(tmp_path):
    (tmp_path / "sweep").mkdir()
    grid = "# @package _global_\nhydra: {sweeper: {params: {seed: '1,2,3'}}}\n"
    (tmp_path / "sweep" / "mine.yaml").write_text(grid)
    plan = make_plan(["--config-dir", str(tmp_path), "sweep=mine", "hydra.sweep.dir=x"])
    assert (plan.total, plan.differ) == (3, ("seed",))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["seed=1,2", "-m"], True),
        (["--multirun", "seed=1,2"], True),
        (["hydra.mode=MULTIRUN", "seed=1,2"], True),
        (["sweep=joblib", "seed=1,2"], True),
        (["sweep=[]", "seed=1"], False),
        (["-m", "--cfg", "job"], False),
        (["seed=1"], False),
    ],
)
def test_what_asks_for_a_sweep(words, asked):
    assert asks_for_a_sweep(words) is asked


def test_words_that_tell_sweeps_apart():
    assert typed_words(["-m", "resume=null", "seed=1,2"]) == ("seed=1,2",)


def test_a_missing_plugin_names_its_extra(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["train", "-m", "sweep=[optuna,joblib]", "seed=1,2"]) == 2
    error = capsys.readouterr().err
    assert "expected the package hydra-optuna-sweeper, which is not installed" in error
    assert "pip install 'robustlit[sweep]'" in error


def test_objectives_need_their_callback(sweep, capsys):
    assert sweep("objectives=[headline,robust/corruption/extra_mean]", "seed=1") == 2
    assert "expected the callback corruption_evaluation, which measures robust/corruption/extra_mean" in (
        capsys.readouterr().err
    )


def test_objectives_are_read_from_the_results(tmp_path):
    from robustlit.cli.errors import UserError
    from robustlit.cli.sweep_job import objectives

    content = {"headline": "val/accuracy", "validation": {"val/accuracy": 0.5, "robust/corruption/extra_mean": 0.25}}
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert objectives(tmp_path, ["headline"]) == 0.5
    assert objectives(tmp_path, ["headline", "robust/corruption/extra_mean"]) == (0.5, 0.25)
    with pytest.raises(UserError, match="got 'val/iou'; try some of val/accuracy"):
        objectives(tmp_path, ["headline", "val/iou"])
    (tmp_path / "results.json").write_text(json.dumps({"headline": "", "validation": {}}))
    assert objectives(tmp_path, ["headline"]) is None


def test_the_hparams_of_a_sweep_have_the_same_columns(sweep, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import EXPERIMENT_TAG, parse_experiment_plugin_data

    assert sweep("augmentation=none,patch_gaussian", "seed=1", "trainer.max_epochs=1") == 0
    found = []
    for folder in (path.parent for path in (tmp_path / "sweep").glob("*/config.yaml")):
        events = EventAccumulator(str(folder))
        events.Reload()
        content = events.summary_metadata[EXPERIMENT_TAG].plugin_data.content
        table = parse_experiment_plugin_data(content)
        found.append(([each.name for each in table.hparam_infos], [each.name.tag for each in table.metric_infos]))
    metrics = ["val/accuracy", "robust/corruption/extra_mean", "robust/corruption/mean"]
    assert found == [(["augmentation", "seed"], metrics)] * 2
