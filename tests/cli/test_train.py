"""What a run leaves behind."""

import csv
import json

import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.cli.main import main
from robustlit.reports import Results


def test_a_run_leaves_what_the_design_lists(finished):
    names = {path.name for path in finished.iterdir()}
    assert {".hydra", "config.yaml", "versions.json", "checkpoints", "metrics.csv", "results.json"} <= names
    assert {path.name for path in (finished / "checkpoints").iterdir()} == {"last.ckpt", "best_clean.ckpt"}
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
    assert results.selected_on == "val/accuracy"
    assert set(results.tests) == {"last", "best_clean"}
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
    again = Results.read(finished / "evaluations" / "last.json").tests["last"]
    first = [row for row in Results.read(finished / "results.json").tests["last"] if row.split == "iid"]
    assert again == first
    assert "iid" in capsys.readouterr().out


def test_evaluate_says_what_there_is(finished, capsys):
    assert main(["evaluate", str(finished), "checkpoint=lost"]) == 2
    assert "expected one of best_clean, last or a file, got 'lost'" in capsys.readouterr().err
    assert main(["evaluate", str(finished), "splits=[idd]"]) == 2
    assert "try 'iid'" in capsys.readouterr().err
    assert main(["evaluate"]) == 2
    assert main(["evaluate", "nowhere"]) == 2
