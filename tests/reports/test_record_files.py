"""Records go into a run folder and come back."""

import numpy as np
import pytest

from robustlit.evaluation.records import Record
from robustlit.reports.record_files import read_records, write_records

RELIABILITY = {"confidence": [0.5, None], "accuracy": [0.25, None], "count": [4, 0], "ece": 0.25, "temperature": 1.5}
CURVE = {"x": [0.0, 0.01], "y": [0.9, 0.5], "x_label": "eps", "y_label": "accuracy", "title": "PGD"}
SLICES = {"name": ["a/b", "<script>"], "n": [3, 4], "value": [0.5, 1.0], "low": [0.1, 0.5], "high": [0.9, 1.0]}


def outcomes(*right):
    flags = np.array(right, bool)
    return {"index": np.arange(len(right), dtype=np.int64) * 7, "clean": flags, "fog/3": ~flags, "pgd_8of255": flags}


def test_every_kind_comes_back_with_names_that_no_file_could_have(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    records = [
        Record("calibration", "iid", "reliability", "fog/3", RELIABILITY),
        Record("adversarial", "iid", "curve", "../pgd.x", CURVE),
        Record("clean", "iid", "outcomes", "", outcomes(True, False, True)),
        Record("common", "my split", "picture", "frost/5", {"image": picture, "caption": "frost – <b>5</b>"}),
        Record("slices", "iid", "slices", "camera", SLICES),
    ]
    files = write_records(records, tmp_path, "best_robust")
    assert all(path.parent.parent == tmp_path / "evaluations" / "best_robust" for path in files)
    found = {(one.kind, one.test, one.split, one.name): one.data for one in read_records(tmp_path)["best_robust"]}
    assert len(found) == len(records)
    for record in records:
        back = found[record.kind, record.test, record.split, record.name]
        assert back.keys() == record.data.keys()
        for key, value in record.data.items():
            assert np.array_equal(back[key], value), key
            if isinstance(value, np.ndarray):
                assert back[key].dtype == value.dtype


def test_a_record_without_a_name_has_no_empty_part_in_its_file(tmp_path):
    record = Record("clean", "iid", "outcomes", "", outcomes(True))
    (file,) = write_records([record], tmp_path, "last")
    assert file.name == "clean.outcomes.npz"
    old = file.rename(file.with_name("clean.outcomes..npz"))  # as it was once written
    (back,) = read_records(tmp_path)["last"]
    assert (back.test, back.kind, back.name) == ("clean", "outcomes", "")
    write_records([record], tmp_path, "last")
    assert file.is_file()
    assert not old.exists()


def test_new_records_replace_those_of_their_test_and_split_only(tmp_path):
    def curve(test, split, name):
        return Record(test, split, "curve", name, CURVE)

    write_records([curve("pgd", "iid", "a"), curve("pgd", "iid", "b"), curve("pgd", "ood", "a")], tmp_path, "last")
    write_records([curve("auto", "iid", "a")], tmp_path, "last")
    write_records([curve("pgd", "iid", "c")], tmp_path, "last")
    kept = {(one.test, one.split, one.name) for one in read_records(tmp_path)["last"]}
    assert kept == {("pgd", "iid", "c"), ("pgd", "ood", "a"), ("auto", "iid", "a")}
    write_records([curve("pgd", "iid", "d")], tmp_path, "best_clean")
    write_records([curve("pgd", "iid", "e")], tmp_path, "last", stale=True)
    found = read_records(tmp_path)
    assert [one.name for one in found["last"]] == ["e"]
    assert [one.name for one in found["best_clean"]] == ["d"]


def test_other_files_are_left_alone_and_broken_ones_are_named(tmp_path):
    write_records([Record("pgd", "iid", "curve", "a", CURVE)], tmp_path, "last")
    folder = tmp_path / "evaluations" / "last" / "iid"
    (folder / "notes.txt").write_text("mine")
    (folder / "pgd.picture.mine.json").write_text("{}")
    assert len(read_records(tmp_path)["last"]) == 1
    (folder / "pgd.curve.b.json").write_text('{"x": [')
    with pytest.raises(ValueError, match=r"expected a record in .*pgd\.curve\.b\.json, got .*; try evaluating again"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("curves", CURVE, "try 'curve'"),
        ("curve", {**CURVE, "y": [1.0]}, "expected x, y of one length"),
        ("outcomes", {"index": np.arange(3), "clean": np.ones(2, bool)}, "of one length"),
        ("slices", {key: value for key, value in SLICES.items() if key != "low"}, "expected low in the data"),
    ],
)
def test_what_is_wrong_with_a_record_is_said_where_it_is_made(kind, data, message):
    with pytest.raises(ValueError, match=message):
        Record("test", "iid", kind, "name", data)


def test_a_run_without_records_has_none(tmp_path):
    assert read_records(tmp_path) == {}
