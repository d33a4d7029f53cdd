"""The launchers and the search as they are installed: two real jobs each. Slow ones need the extras sweep and ray."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = (
    "trainer.accelerator=cpu",
    "trainer.max_epochs=1",
    "data.train_size=16",
    "data.val_size=8",
    "data.test_size=8",
    "data.batch_size=8",
    "model.width=4",
    "callbacks=[step_seed,augmentation,metrics_csv,best_checkpoint,last_checkpoint]",
    "evaluation=[none]",
)


def sweep(folder: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "robustlit", "train", "-m", *QUICK, f"data.cache_dir={cache}"]
    command += [f"hydra.sweep.dir={folder}", "jobs.at_once=2", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, env=environment)


def jobs(folder: Path) -> dict[str, int]:
    """The jobs' processes, by what they were given."""
    found = [json.loads(path.read_text()) for path in folder.glob("*/job.json")]
    return {job["overrides"][-1]: job["pid"] for job in found}


def check(done: subprocess.CompletedProcess, folder: Path) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 jobs: 2 finished" in done.stdout
    assert "mean ± standard deviation over seeds" in done.stdout
    assert len(list(folder.glob("*/results.json"))) == 2
    assert len(set(jobs(folder).values())) == 2  # in two processes
    for log in folder.glob("*/log.txt"):
        assert "run folder" in log.read_text()


def test_joblib_runs_two_jobs_and_one_that_fails_is_told(tmp_path, cache):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="install the extra sweep")
    done = sweep(tmp_path / "sweep", cache, "sweep=joblib", "task.optimizer.lr=0.05,-1")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("robustlit: 1 of 2 jobs failed, the first being job 2 (-1): Invalid")
    assert "Traceback" not in done.stderr
    assert "2 jobs: 1 finished, 1 failed" in done.stdout
    (failure,) = (tmp_path / "sweep").glob("*/failure.json")
    assert "Traceback" in Path(json.loads(failure.read_text())["traceback"]).read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("option", "plugin"), [("submitit_local", "submitit"), ("ray", "ray")])
def test_a_launcher_runs_two_jobs(option, plugin, tmp_path, cache):
    pytest.importorskip(f"hydra_plugins.hydra_{plugin}_launcher", reason="install the extras sweep and ray")
    check(sweep(tmp_path / "sweep", cache, f"sweep={option}", "seed=1,2"), tmp_path / "sweep")


@pytest.mark.slow
def test_a_search_keeps_its_study_and_survives_a_failed_trial(tmp_path, cache):
    optuna = pytest.importorskip("optuna", reason="install the extra sweep")
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="install the extra sweep")
    folder = tmp_path / "sweep"
    search = ("sweep=optuna", "objectives=[headline,val/loss]", "hydra.sweeper.direction=[maximize,minimize]")
    rates = "task.optimizer.lr=choice(-1,0.05)"
    first = sweep(folder, cache, *search, "hydra.sweeper.n_trials=2", "hydra/sweeper/sampler=grid", rates)
    assert first.returncode == 2, first.stdout + first.stderr
    assert "1 finished, 1 failed" in first.stdout
    study = optuna.load_study("robustlit", f"sqlite:///{folder / 'study.db'}")
    states = [trial.state.name for trial in study.get_trials()]
    assert sorted(states) == ["COMPLETE", "FAIL"]
    values = next(trial.values for trial in study.get_trials() if trial.values)
    (results,) = folder.glob("*/results.json")
    validation = json.loads(results.read_text())["validation"]
    assert values == [validation["val/accuracy"], validation["val/loss"]]
