"""``robustlit report``: from a trained run to files, and what is refused."""

import shutil

import pytest

from robustlit.cli.main import main
from robustlit.reports.record_files import read_records
from tests.reports.run_folders import make_run


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run."""
    return shutil.copytree(finished, tmp_path / "finished")


def test_a_run_that_was_trained_and_evaluated_is_reported(run, tmp_path, capsys):
    ask = ["evaluate", str(run), "checkpoint=last", "splits=[iid]", "trainer.accelerator=cpu"]
    small = ["evaluation.corruptions.families=[extra]", "evaluation.corruptions.severities=[1,5]"]
    assert main([*ask, "evaluation=[corruptions]", *small]) == 0
    kinds = {(record.test, record.kind) for record in read_records(run)["last"]}
    assert {("clean", "outcomes"), ("extra", "outcomes"), ("extra", "picture")} <= kinds
    capsys.readouterr()
    assert main(["report", str(run), f"out={tmp_path / 'out'}"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Robustness of small_cnn on shapes")
    for name in ("report.html", "report.md", "report.csv"):
        assert name in printed and (tmp_path / "out" / name).stat().st_size > 500
    page = (tmp_path / "out" / "report.html").read_text()
    for part in ("Corruptions", "What fails", "What it looks at", "Provenance"):
        assert f"<h2>{part}</h2>" in page


def test_several_runs_and_one_format(tmp_path, capsys):
    for seed in (0, 1):
        make_run(tmp_path / f"run{seed}", seed=seed)
    words = [str(tmp_path / "run0"), str(tmp_path / "run1"), f"out={tmp_path / 'both'}", "formats=[markdown]"]
    assert main(["report", *words]) == 0
    assert "Comparison on shapes" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "both").iterdir()] == ["report.md"]


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path):
    folder = make_run(tmp_path / "lr=0.1, a [b]")
    assert main(["report", str(folder), "formats=html"]) == 0
    assert (folder / "report.html").is_file() and not (folder / "report.md").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected a run folder or the folder of a sweep, got neither"),
        (["nowhere"], "expected a run folder, got 'nowhere', which does not exist; try runs/NAME/TIME"),
        (["{run}", "formats=[pdf]"], "expected the name of a format, got 'pdf'"),
        (["{run}", "formats=[]"], "expected formats of html, markdown, csv, got none"),
        (["{run}", "checkpoint=best"], "got 'best'; try best_robust"),
        (["{run}", "splits=iid"], "unknown key 'splits'; did you mean 'split'?"),
        (["{run}", "--watch", "out=x"], "--watch: expected one folder and nothing else, got 'out=x' too"),
        (["{run}/.hydra"], "got no results.json"),
    ],
)
def test_bad_input_ends_in_one_line(words, message, tmp_path, capsys):
    folder = make_run(tmp_path / "run")
    assert main(["report", *(word.format(run=folder) for word in words)]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and len(error.splitlines()) == 1


def test_watching_is_left_to_the_leaderboard(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("robustlit.reports.leaderboard.watch", seen.append)
    assert main(["report", str(tmp_path), "--watch"]) == 0
    assert seen == [tmp_path]


def test_help_tells_the_keys(capsys):
    assert main(["report", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(
        key in text for key in ("out=null", "formats=[html,markdown,csv]", "checkpoint=null", "split=null", "--watch")
    )
