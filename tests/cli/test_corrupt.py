"""`robustlit corrupt`: its arguments, its errors, and sets that can be read."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from robustlit.cli.main import main
from robustlit.corruptions import corrupt
from robustlit.data import open_corrupted
from tests.data.corrupted_sets import write_clean, write_npz

OWN = "tests.data.corrupted_sets:SHIFTED"


def test_writes_arrays_and_says_so(tmp_path, capsys):
    source, images, _ = write_npz(tmp_path / "set.npz")
    assert main(["corrupt", str(source), str(tmp_path / "out"), "--corruption", OWN, "--severity", "3,1"]) == 0
    assert capsys.readouterr().out.startswith("2 cells of 7 images each are in ")
    found = open_corrupted(tmp_path / "out")
    assert found.cells == (("shifted", 1), ("shifted", 3))
    from tests.data.corrupted_sets import SHIFTED

    expected = corrupt(torch.from_numpy(images).permute(0, 3, 1, 2), SHIFTED, 3).permute(0, 2, 3, 1).numpy()
    cell = found.dataset(("shifted", 3))
    assert np.array_equal(np.stack([cell[i]["image"] for i in range(7)]), expected)


def test_options_reach_the_set(tmp_path):
    source = write_clean(tmp_path / "clean")
    options = ["--format", "png", "--seed", "4", "--preset", "tiny", "--resize", "18", "--crop=16", "--batch-size", "2"]
    assert main(["corrupt", str(source), str(tmp_path / "out"), "--corruption", OWN, "--severity", "2", *options]) == 0
    found = open_corrupted(tmp_path / "out")
    made = found.provenance
    assert [made[key] for key in ("storage", "seed", "preset", "resize", "crop")] == ["png", 4, "tiny", 18, 16]
    assert made["cells"] == [{"corruption": "shifted", "severity": 2, "images": 6, "presets": ["tiny"]}]
    assert found.dataset(("shifted", 2))[5]["image"].shape == (16, 16, 3)


def test_the_same_line_again_writes_nothing(tmp_path):
    source = write_clean(tmp_path / "clean")
    line = ["corrupt", str(source), str(tmp_path / "out"), "--corruption", OWN, "--severity", "1"]
    assert main(line) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    assert main(line) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    assert len(before) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "corrupt: the following arguments are required: IN, OUT; try 'robustlit corrupt --help'"),
        (["IN", "OUT"], "expected corruptions to write, got none; try --corruption fog or --family common"),
        (["IN", "OUT", "--coruption", "fog"], "unknown option '--coruption'; did you mean '--corruption'?"),
        (["IN", "OUT", "--family", "comon"], "argument --family: invalid choice: 'comon'"),
        (["IN", "OUT", "--corruption", "gausian_noise"], "expected the name of a corruption, got 'gausian_noise'"),
        (["IN", "OUT", "--corruption", "nowhere:fog"], "expected a corruption at 'nowhere:fog', got No module named"),
        (["IN", "OUT", "--corruption", OWN, "--severity", "0"], "expected severities from 1 to 5, got '0'"),
        (["IN", "OUT", "--corruption", OWN, "--severity", "2.5"], "expected severities from 1 to 5, got '2.5'"),
        (["IN", "OUT", "--corruption", OWN, "--preset", "cifer"], "got 'cifer'; try 'cifar'"),
        (["IN", "OUT", "--corruption", OWN, "--frost", "procedural"], "expected --frost beside --corruption frost"),
        (
            ["IN", "OUT", "--corruption", "frost", "--frost", "no"],
            "expected a folder with frost1.png … frost5.jpg, got 'no'",
        ),
        (["IN", "OUT", "--corruption", OWN, "--format", "npy"], "expected the format png or jpeg85 for a folder"),
        (["gone", "OUT", "--corruption", OWN], "expected pictures or an .npz file at 'gone', got nothing there"),
        (["IN", "OUT", "--corruption", OWN, "--seed", "x"], "argument --seed: invalid int value: 'x'"),
    ],
)
def test_wrong_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_clean(tmp_path / "IN")
    assert main(["corrupt", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "OUT").exists()


def test_interrupted(tmp_path, monkeypatch, capsys):
    import robustlit.data.corrupted.writing as writing

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_corrupted", stop)
    assert main(["corrupt", str(tmp_path), str(tmp_path / "out"), "--corruption", OWN]) == 130
    assert "interrupted; try the same line again, it goes on where it stopped" in capsys.readouterr().err


@pytest.mark.alone
def test_help_is_quick_and_names_every_option(tmp_path):
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "robustlit", "corrupt", "-h"], capture_output=True, text=True, check=True
    )
    assert time.perf_counter() - start < 3  # 0.1 s on an idle machine; torch alone would take longer
    for option in ("--corruption", "--family", "--severity", "--preset", "--seed", "--format", "--frost", "--resize"):
        assert option in done.stdout
