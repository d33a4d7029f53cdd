"""Result files are whole, and come back as they were."""

import json
import math

import pytest

from robustlit.evaluation import Row
from robustlit.reports import Chosen, Results, results_table
from robustlit.reports.files import write_text

RESULTS = Results(
    names={"data": "shapes", "augmentation": "none"},
    seed=3,
    epochs=2,
    tests={
        "last": [
            Row("clean", "iid", "accuracy", 0.5, 0.404, 0.596, 100),
            Row("clean", "iid", "iou/road", 0.9, None, None, 100),
            Row("clean", "far", "auroc", 0.75, None, None, 7),
        ]
    },
)


def test_results_come_back_from_their_file(tmp_path):
    path = tmp_path / "new" / "results.json"
    RESULTS.write(path)
    assert Results.read(path) == RESULTS
    assert json.loads(path.read_text())["tests"]["last"][0]["n"] == 100


def test_what_is_no_number_is_null_in_the_file(tmp_path):
    path = tmp_path / "results.json"
    row = Row("clean", "iid", "auroc", math.nan, None, None, 3)
    Results(names={}, seed=0, tests={"last": [row]}, validation={"val/loss": math.inf}).write(path)
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert content["tests"]["last"][0]["value"] is None
    assert content["validation"]["val/loss"] is None
    assert math.isnan(Results.read(path).tests["last"][0].value)
    assert "nan" in results_table(Results.read(path))


def test_figures_on_the_images_that_selected_the_checkpoint_are_marked():
    rows = {"best_clean": [Row("clean", "val", "accuracy", 0.5, None, None, 9)]}
    assert Results(names={}, seed=0, selected_on={"best_clean": Chosen("val/accuracy")}, tests=rows).overlap == ["val"]
    assert Results(names={}, seed=0, tests=rows).overlap == []
    assert (
        Results(
            names={}, seed=0, selected_on={"best_clean": Chosen("val/accuracy")}, tests={"last": rows["best_clean"]}
        ).overlap
        == []
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"unknown": 1}'])
def test_another_file_is_a_clear_error(text, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="expected the results of a run in"):
        Results.read(path)


def test_the_table_has_one_line_a_split_with_n_and_interval():
    lines = results_table(RESULTS).splitlines()
    assert len(lines) == 4
    assert lines[0].split() == ["checkpoint", "test", "split", "n", "accuracy", "auroc"]
    assert lines[2].split() == ["last", "clean", "iid", "100", "0.5000", "(0.4040–0.5960)"]
    assert lines[3].split() == ["last", "clean", "far", "7", "0.7500"]


def test_no_test_no_table():
    assert results_table(Results(names={}, seed=0)) == "no test was run"


def test_a_file_is_replaced_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
