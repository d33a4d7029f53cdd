"""What a run leaves behind."""

import csv
import json
import shutil

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.cli.main import main
from robustlit.reports import Results


def test_a_run_leaves_what_the_design_lists(finished):
    names = {path.name for path in finished.iterdir()}
    assert {".hydra", "config.yaml", "versions.json", "checkpoints", "metrics.csv", "results.json"} <= names
    kept = {path.name for path in (finished / "checkpoints").iterdir()}
    assert kept == {"last.ckpt", "best_clean.ckpt", "best_robust.ckpt"}
    assert json.loads((finished / "versions.json").read_text())["torch"] == torch.__version__.partition("+")[0]
    with (finished / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2


def test_the_saved_configuration_is_resolved_and_filled(finished):
    text = (finished / "config.yaml").read_text()
    saved = yaml.safe_load(text)
    assert "${" not in text
    assert saved["model"]["in_channels"] == 3
    assert saved["model"]["num_classes"] == saved["task"]["num_classes"] == len(saved["task"]["class_names"])
    assert saved["trainer"]["precision"] in ("32-true", "bf16-mixed")
    assert saved["callbacks"]["best_checkpoint"]["monitor"] == "val/accuracy"


def test_results_hold_every_figure_with_its_size(finished):
    results = Results.read(finished / "results.json")
    assert results.epochs == 2
    assert results.steps == 10
    assert results.selected_on["best_clean"].monitor == "val/accuracy"
    assert set(results.tests) == {"last", "best_clean", "best_robust"}
    accuracy = {row.split: row for row in results.tests["last"] if row.metric == "accuracy"}
    assert set(accuracy) == {"iid", "uncorrelated", "cue_conflict"}
    assert all(row.n == 20 and row.low <= row.value <= row.high for row in accuracy.values())


def test_the_hparams_table_has_the_run_and_adds_no_point_to_the_curve(finished):
    events = EventAccumulator(str(finished))
    events.Reload()
    assert "hparams" in events.summary_metadata["_hparams_/session_start_info"].plugin_data.plugin_name
    assert [point.step for point in events.Scalars("val/accuracy")] == [4, 9]


def test_a_finished_run_says_so_and_prints_its_table(finished, capsys):
    assert main(["train", f"resume={finished}"]) == 0
    captured = capsys.readouterr()
    assert "is finished" in captured.out
    assert "cue_conflict" in captured.out


def test_evaluate_repeats_the_figures_of_training(finished, capsys):
    assert main(["evaluate", str(finished), "checkpoint=last", "splits=[iid]"]) == 0
    again = figures(Results.read(finished / "evaluations" / "last.json").tests["last"], "iid")
    first = [row for row in Results.read(finished / "results.json").tests["last"] if row.split == "iid"]
    assert again == first
    assert "iid" in capsys.readouterr().out


def figures(rows, split):
    return [row for row in rows if row.split == split]


def test_evaluate_keeps_what_was_evaluated_before(finished, tmp_path, capsys):
    file = finished / "evaluations" / "best_clean.json"
    assert main(["evaluate", str(finished)]) == 0
    assert main(["evaluate", str(finished), "splits=[iid]", "data.limit_eval=10"]) == 0
    found, trained = Results.read(file), Results.read(finished / "results.json")
    assert {row.n for row in figures(found.tests["best_clean"], "iid")} == {10}
    for split in ("uncorrelated", "cue_conflict"):
        assert figures(found.tests["best_clean"], split) == figures(trained.tests["best_clean"], split)
    assert (found.selected_on["best_clean"].monitor, found.epochs, found.steps) == ("val/accuracy", 2, 10)

    before = file.read_bytes()
    elsewhere = shutil.copy(finished / "checkpoints" / "last.ckpt", tmp_path / "best_clean.ckpt")
    assert main(["evaluate", str(finished), f"checkpoint={elsewhere}", "splits=[iid]"]) == 0
    assert file.read_bytes() == before
    (own,) = (finished / "evaluations").glob("best_clean-*.json")
    assert Results.read(own).selected_on == {}
    assert "was selected on" not in capsys.readouterr().out.rpartition("Evaluating")[2]


def test_the_validation_split_can_be_evaluated(finished):
    assert main(["evaluate", str(finished), "checkpoint=last", "splits=[val]"]) == 0
    rows = Results.read(finished / "evaluations" / "last.json").tests["last"]
    accuracy = next(row.value for row in figures(rows, "val") if row.metric == "accuracy")
    assert accuracy == Results.read(finished / "results.json").validation["val/accuracy"]


def test_without_a_test_split_validation_is_tested_and_said_to_be(train_photos, photos, tmp_path, capsys):
    folder = tmp_path / "run"
    assert train_photos(f"data.path={photos}", f"hydra.run.dir={folder}") == 0
    content = json.loads((folder / "results.json").read_text())
    assert content["overlap"] == ["val"]
    assert {row["split"] for rows in content["tests"].values() for row in rows} == {"val"}
    chosen = content["selected_on"]["best_clean"]
    assert chosen == {"monitor": "val/accuracy", "score": content["validation"]["val/accuracy"], "epoch": 0}
    out = capsys.readouterr().out
    assert "best_clean was selected on val/accuracy" in out
    assert "figures on the split val are not independent" in out


def test_of_losses_the_lowest_is_kept(train, tmp_path):
    folder = tmp_path / "run"
    assert train(f"hydra.run.dir={folder}", "callbacks.best_checkpoint.monitor=val/loss", "evaluation=[none]") == 0
    with (folder / "metrics.csv").open() as file:
        losses = [float(row["val/loss"]) for row in csv.DictReader(file)]
    results = Results.read(folder / "results.json")
    chosen = results.selected_on["best_clean"]
    assert chosen.score == pytest.approx(min(losses))
    assert chosen.epoch == losses.index(min(losses))


def test_evaluate_says_what_there_is(finished, capsys):
    assert main(["evaluate", str(finished), "checkpoint=lost"]) == 2
    assert "expected one of best_clean, best_robust, last or a file, got 'lost'" in capsys.readouterr().err
    assert main(["evaluate", str(finished), "splits=[idd]"]) == 2
    assert "try 'iid'" in capsys.readouterr().err
    assert main(["evaluate"]) == 2
    assert main(["evaluate", "nowhere"]) == 2
