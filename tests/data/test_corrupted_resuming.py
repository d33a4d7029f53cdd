"""Writing of corrupted sets goes on where it stopped, and never mixes two kinds."""

import json

import pytest

from robustlit.corruptions import CustomCorruption
from robustlit.data import DataError, open_corrupted
from robustlit.data.corrupted import Plan, write_corrupted
from robustlit.data.corrupted.whole import whole
from tests.data.corrupted_sets import DARKER, SHIFTED, provenance, write, write_clean, write_npz


def states(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"}


def failing_corruption(function):
    return CustomCorruption(function, name="failing")


def test_goes_on_where_it_stopped(tmp_path):
    calls = []

    def failing(images, severity, seeds):
        calls.append(len(images))
        if len(calls) == 4:  # the rehearsal, two batches
            raise KeyboardInterrupt
        return images * 0.5

    source = write_clean(tmp_path / "clean")
    out = tmp_path / "out"
    plan = Plan((failing_corruption(failing),), (1,), storage="png")
    with pytest.raises(KeyboardInterrupt):
        write_corrupted(source, out, plan)
    with pytest.raises(DataError, match=r"expected corruptions in .*out, got only unfinished ones; try its 'robustlit"):
        open_corrupted(out)
    written = states(out)
    assert len(written) == 3  # the first two batches
    (broken,) = out.rglob("0.png")
    broken.write_bytes(b"half a file")
    write_corrupted(source, out, plan)
    after = states(out)
    assert len(after) == 6
    assert [path.name for path in written if after[path] != written[path]] == ["0.png", "1.png"]  # of the broken batch
    assert len(open_corrupted(out).dataset(("failing", 1))) == 6
    calls.clear()
    write_corrupted(source, out, plan)
    assert calls == [1]  # the rehearsal


def test_arrays_go_on_and_are_whole_or_absent(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    out = tmp_path / "out"

    def stopping(images, severity, seeds):
        if severity == 2:
            raise KeyboardInterrupt
        return images

    with pytest.raises(KeyboardInterrupt):
        write_corrupted(source, out, Plan((DARKER, failing_corruption(stopping)), (1, 2)))
    assert sorted(path.name for path in out.iterdir()) == ["darker.npy", "labels.npy", "provenance.json"]
    before = states(out)
    write_corrupted(source, out, Plan((DARKER, failing_corruption(lambda images, severity, seeds: images)), (1, 2)))
    after = states(out)
    assert {path.name for path in after} - {path.name for path in before} == {"failing.npy"}
    assert all(after[path] == before[path] for path in before)
    assert open_corrupted(out).names == ("darker", "failing")


def test_unfinished_cells_are_left_out_and_named(tmp_path):
    source = write_clean(tmp_path / "clean")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1, 2, 3, 4, 5)))
    write_corrupted(source, tmp_path / "out", Plan((SHIFTED,), (1, 2, 3, 4)))
    made = provenance(tmp_path / "out")
    made["cells"] = [cell for cell in made["cells"] if (cell["corruption"], cell["severity"]) != ("shifted", 4)]
    (tmp_path / "out" / "provenance.json").write_text(json.dumps(made))
    found = open_corrupted(tmp_path / "out")
    assert found.unfinished == (("shifted", 4),)
    assert [line.partition(": ")[2] for line in found.problems] == [
        "unfinished and left out: 1 cell (shifted 4)",
        "missing 1 cell (shifted 5)",
    ]
    with pytest.raises(DataError, match=r"all but 2 cells \(shifted 4, shifted 5\)"):
        found.require()
    (tmp_path / "out" / "provenance.json").write_text("{}")
    with pytest.raises(DataError, match=r"expected .*provenance.json as 'robustlit corrupt' writes it, got KeyError"):
        open_corrupted(tmp_path / "out")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 1}, "expected seed 0, with which .*out was begun, got 1; try another folder"),
        ({"preset": "imagenet"}, "expected preset 'auto'"),
        ({"storage": "png"}, "expected storage 'jpeg85'"),
        ({"crop": 16}, "expected crop None, with which"),
    ],
)
def test_two_kinds_do_not_mix(tmp_path, other, message):
    source = write_clean(tmp_path / "clean")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))
    before = states(tmp_path / "out")
    with pytest.raises(DataError, match=message):
        write_corrupted(source, tmp_path / "out", Plan((SHIFTED,), (1,), **other))
    assert states(tmp_path / "out") == before
    write(source / "cat" / "new.png", 3)
    with pytest.raises(DataError, match="expected source_digest"):
        write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))


def test_arrays_of_other_severities_do_not_mix(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))
    with pytest.raises(DataError, match=r"expected severities \[1\], with which .* got \[2\]"):
        write_corrupted(source, tmp_path / "out", Plan((DARKER,), (2,)))


def test_a_file_is_whole_or_absent(tmp_path):
    with pytest.raises(RuntimeError, match="full"), whole(tmp_path / "a" / "b.txt") as beside:
        beside.write_text("half")
        raise RuntimeError("full")
    assert list((tmp_path / "a").iterdir()) == []
