"""`robustlit evaluate` of a run: corruptions, thresholds, and sets on disk."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from robustlit.cli.main import main
from robustlit.reports import Results

QUICK = (
    "evaluation=[clean,corruptions]",
    "evaluation.corruptions.families=[extra]",
    "evaluation.corruptions.severities=[3]",
)


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, to write into."""
    return shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("evaluations"))


def test_tables_csv_and_picture(run, capsys):
    assert main(["evaluate", str(run), "splits=[iid]", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "best_clean · iid · accuracy in %, by corruption and severity" in out
    assert "extra: mean over 4 of 20 cells" in out
    assert "preset tiny · 64×64 · n = 20 · evaluation seed 0" in out
    assert "best_clean selected on val/accuracy" in out
    stem = run / "evaluations" / "best_clean"
    rows = Results.read(stem.with_suffix(".json")).tests["best_clean"]
    with stem.with_suffix(".csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["value"]) for line in lines] == [row.value for row in rows]
    assert Image.open(f"{stem}_iid_corruptions.png").width > 650
    assert {row.test for row in rows} == {"clean", "extra"}


def test_training_prints_and_writes_them_too(train, tmp_path, capsys):
    assert train(f"hydra.run.dir={tmp_path / 'run'}", "trainer.max_epochs=1", *QUICK) == 0
    out = capsys.readouterr().out
    assert "best_clean = best_robust = last · iid · accuracy in %, by corruption and severity" in out
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"results.json", "results.csv", "results_iid_corruptions.png"} <= names


def gate(run, capsys, *options):
    code = main(["evaluate", str(run), "splits=[iid]", *options])
    return code, [line for line in capsys.readouterr().err.splitlines() if line.startswith("robustlit: ")]


def test_thresholds_that_hold(run, capsys):
    assert gate(run, capsys, "--fail-under", "clean/accuracy=0", "--fail-over=iid/clean/loss=1e9") == (0, [])


def test_a_missed_threshold_is_exit_code_1_and_a_line_each(run, capsys):
    code, lines = gate(run, capsys, "--fail-under", "clean/accuracy=1.01", "--fail-over", "clean/loss=-1", *QUICK)
    assert code == 1
    assert lines[0].startswith("robustlit: iid/clean/accuracy: expected at least 1.01, got ")
    assert lines[0].endswith("n = 20")
    assert lines[1].startswith("robustlit: iid/clean/loss: expected at most -1, got ")
    assert len(lines) == 2
    assert (run / "evaluations" / "best_clean.json").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-under", "extra/acuracy=0.5", *QUICK], "got 'extra/acuracy'; try 'extra/accuracy'"),
        (["--fail-under", "common/accuracy=0.5"], "got 'common/accuracy'; try 'clean/accuracy'"),
        (["--fail-under", "clean/accuracy"], "--fail-under: expected KEY=NUMBER, got 'clean/accuracy'"),
        (["--fail-under"], "--fail-under: expected KEY=NUMBER, got ''"),
        (["--fail-unter", "clean/accuracy=1"], "unknown option '--fail-unter'; did you mean '--fail-under'?"),
        (["+evaluation=published"], "evaluation.published.path: expected a value, got none"),
    ],
)
def test_what_cannot_be_a_threshold_is_told_before_anything_is_tested(options, message, run, capsys):
    code, lines = gate(run, capsys, *options)
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]
    assert not (run / "evaluations").exists()


def test_an_unknown_metric_of_the_module_is_told_after_it(run, capsys):
    code, lines = gate(run, capsys, "--fail-under", "clean/acuracy=0")
    assert code == 2
    assert "try 'clean/accuracy'" in lines[0]


def test_a_set_on_disk(run, tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    (tmp_path / "shapes-c").mkdir()
    np.save(tmp_path / "shapes-c" / "fog.npy", np.concatenate([images] * 5))
    np.save(tmp_path / "shapes-c" / "labels.npy", np.arange(6))
    where = ["+evaluation=published", f"evaluation.published.path={tmp_path / 'shapes-c'}"]
    code, _ = gate(run, capsys, *where, "--fail-under", "published/shapes-c/accuracy=0")
    assert code == 0
    found = Results.read(run / "evaluations" / "best_clean.json").tests["best_clean"]
    accuracies = [row.value for row in found if row.test == "shapes-c" and "severity" in row.conditions]
    assert len(accuracies) == 5
    assert len(set(accuracies)) == 1  # the same images in every cell
    assert (run / "evaluations" / "best_clean_shapes-c_corruptions.png").is_file()

    code, lines = gate(run, capsys, *where[:1], f"evaluation.published.path={tmp_path / 'lost'}")
    assert code == 2
    assert lines == [f"robustlit: expected a folder at {tmp_path / 'lost'}, got nothing there; try another path"]


def test_composition_can_be_shown(run, capsys):
    assert main(["evaluate", str(run), "--cfg", "job"]) == 0
    assert "checkpoint: best_clean" in capsys.readouterr().out
