"""The quickstart's own command at a reduced size, in a process and a directory of its own; and two processes of it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.reports import Results

SMALL = ("trainer.accelerator=cpu", "data.train_size=192", "data.val_size=50", "data.test_size=50", "model.width=8")


def start(*arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "robustlit", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.alone
def test_the_quickstart_shows_table_folder_and_tensorboard(cache, tmp_path):
    script = (Path(__file__).parents[2] / "scripts" / "quickstart").read_text()
    (line,) = re.findall(r"^exec \.venv/bin/robustlit (.*) \"\$@\"$", script, flags=re.M)
    out = start(
        *shlex.split(line),
        "trainer.max_epochs=2",
        "trainer.log_every_n_steps=1",
        *SMALL,
        f"data.cache_dir={cache}",
        cwd=tmp_path,
    )

    (run,) = (tmp_path / "runs" / "quickstart").iterdir()
    assert re.search(r"^best_clean +clean +iid +50 ", out, flags=re.M)
    assert f"run folder   {run.relative_to(tmp_path)}\n" in out
    assert re.search(rf"^TensorBoard  \S*robustlit tensorboard {run.relative_to(tmp_path)}$", out, flags=re.M)
    assert set(Results.read(run / "results.json").tests) == {"best_clean", "best_robust", "last"}

    events = EventAccumulator(str(run))
    events.Reload()
    assert {"train/loss", "val/accuracy", "val/calibration_error", "lr-SGD"} <= set(events.Tags()["scalars"])
    assert {"val/predictions", "val/confusion", "train/images"} <= set(events.Tags()["images"])
    assert "_hparams_/session_start_info" in events.summary_metadata


@pytest.mark.slow
def test_two_processes_train_one_run_and_can_train_it_further(cache, tmp_path):
    fixed = ("experiment=quickstart", "trainer=ddp_cpu", *SMALL[1:], f"data.cache_dir={cache}", "hydra.run.dir=run")
    start("train", *fixed, "trainer.max_epochs=1", cwd=tmp_path)
    out = start("train", "resume=run", "trainer.max_epochs=2", cwd=tmp_path)
    assert out.count("run folder   run\n") == 1
    assert Results.read(tmp_path / "run" / "results.json").epochs == 2
