"""The leaderboard of a sweep, from folders made by hand."""

import io
import json
import os
import socket
import subprocess
import sys

import pytest

from robustlit.reports.leaderboard import leaderboard, seed_table, watch
from robustlit.reports.sweep_jobs import is_alive, read_jobs

EXTRA = "robust/corruption/extra_mean"
HERE = {"pid": os.getpid(), "host": socket.gethostname()}
SCORES = {("augmix", 1): 0.50, ("augmix", 2): 0.60, ("none", 1): 0.30, ("none", 2): 0.35}


def write_job(sweep, number, name, seed, *, extra=None, results=True, **about):
    folder = sweep / f"{name}{seed}"
    folder.mkdir()
    overrides = [f"augmentation={name}", f"seed={seed}", "trainer.max_epochs=2"]
    facts = {"number": number, "overrides": overrides, "epochs": 2, "started": 0.0, "seconds": 61.0, **HERE, **about}
    (folder / "job.json").write_text(json.dumps(facts))
    if extra is not None:
        lines = [f"epoch,step,val/accuracy,{EXTRA}", "0,5,0.1,0.05", f"1,9,{extra + 0.2},{extra}", "2,12,,"]
        (folder / "metrics.csv").write_text("\n".join(lines[: 3 if results else 2]) + "\n")
    if results and extra is not None:
        (folder / "results.json").write_text(json.dumps({"headline": "val/accuracy"}))
    return folder


@pytest.fixture
def sweep(tmp_path):
    """Four finished jobs, one that failed, and one that has not begun."""
    for number, ((name, seed), extra) in enumerate(SCORES.items()):
        write_job(tmp_path, number, name, seed, extra=extra, ended=1.0)
    failed = write_job(tmp_path, 4, "style_fourier_of_a_configuration_with_a_long_name", 1, ended=1.0)
    (failed / "failure.json").write_text(
        json.dumps({"error": "expected a finite loss, got nan; try a lower rate " * 3})
    )
    planned = [job.overrides for job in read_jobs(tmp_path)] + [
        ("augmentation=augmix", "seed=3", "trainer.max_epochs=2")
    ]
    (tmp_path / "sweep.json").write_text(json.dumps({"jobs": planned}))
    return tmp_path


def test_jobs_are_read_with_their_last_figures(sweep):
    jobs = read_jobs(sweep)
    assert [job.number for job in jobs] == [0, 1, 2, 3, 4, 5]
    assert [job.state for job in jobs] == ["finished"] * 4 + ["failed", "waiting"]
    assert (jobs[0].epoch, jobs[0].epochs, jobs[0].clean, jobs[0].extra, jobs[0].seconds) == (2, 2, 0.7, 0.5, 61.0)
    assert jobs[4].error.startswith("expected a finite loss")
    assert jobs[0].name(["augmentation", "seed"], 6) == "job 1 of 6 (augmix seed 1)"


@pytest.mark.parametrize("width", [80, 120])
def test_the_best_is_first_and_the_table_fits(sweep, width):
    table = leaderboard(read_jobs(sweep), width)
    lines = table.splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[2:6]] == ["augmix", "augmix", "none", "none"]
    assert lines[2].split()[1:] == ["2", "2/2", "0.8000", "0.6000", "finished", "1:01"]
    assert "job 5 failed: expected a finite loss" in table
    assert lines[-1] == "6 jobs: 4 finished, 1 waiting, 1 failed"
    assert ("style_fourier_of_a_configuration_with_a_long_name" in table) == (width == 120)


def test_mean_and_deviation_over_seeds(sweep):
    lines = seed_table(read_jobs(sweep)).splitlines()
    assert lines[3].split() == ["augmix", "2", "0.7500", "±", "0.0707", "0.5500", "±", "0.0707"]  # 0.1 / √2
    assert lines[4].split() == ["none", "2", "0.5250", "±", "0.0354", "0.3250", "±", "0.0354"]


def test_running_and_stopped_are_told_apart(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    write_job(tmp_path, 0, "none", 1, extra=0.3, results=False)
    write_job(tmp_path, 1, "none", 2, pid=done.pid)
    write_job(tmp_path, 2, "none", 3, pid=done.pid, host="another")
    jobs = read_jobs(tmp_path)
    assert [job.state for job in jobs] == ["running", "stopped", "running"]
    assert (jobs[0].epoch, jobs[0].extra) == (1, 0.05)


def test_a_process_that_nobody_has_waited_for_is_dead():
    done = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    done.stdout.read()
    for _ in range(200):
        if not is_alive({**HERE, "pid": done.pid}):
            break
        os.sched_yield()
    alive = is_alive({**HERE, "pid": done.pid})
    done.wait()
    assert not alive


def test_watching_prints_changes_and_ends_with_the_sweep(sweep, monkeypatch):
    steps = iter([lambda: None, lambda: (sweep / "sweep.json").write_text(json.dumps({"jobs": [], "ended": 1.0}))])
    monkeypatch.setattr("time.sleep", lambda seconds: next(steps)())
    out = io.StringIO()
    watch(sweep, stream=out)
    text = out.getvalue()
    assert text.count("EXTRA") == 2  # at first, and when the job that waits is no longer planned
    assert "\x1b" not in text
    with pytest.raises(ValueError, match="expected a sweep or a run"):
        watch(sweep / "augmix1" / "nothing", stream=out)


def test_one_run_can_be_watched(sweep):
    folder = sweep / "augmix1"
    (folder / "job.json").unlink()
    (folder / "config.yaml").touch()
    out = io.StringIO()
    watch(folder, stream=out)
    assert "0.7000" in out.getvalue()
