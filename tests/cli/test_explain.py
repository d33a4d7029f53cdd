"""`robustlit explain`: pictures of a run's model and of models from elsewhere, and its errors."""

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.cli.help import METHODS
from robustlit.cli.main import main
from robustlit.explanations.registry import names
from robustlit.models import small_cnn


@pytest.fixture
def photo(tmp_path):
    noise = np.random.default_rng(0)
    Image.fromarray(noise.integers(0, 256, (48, 60, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def of_model(tmp_path, photo, monkeypatch):
    """Explain a small net of three classes, whose weights are in a file."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    torch.save(small_cnn(num_classes=3).eval().state_dict(), tmp_path / "mine.pth")
    fixed = ["model=small_cnn", "checkpoint=mine.pth", "image_size=32"]

    def start(*arguments):
        return main(["explain", str(photo), *fixed, *arguments])

    return start


def test_the_help_names_every_method():
    assert names() == METHODS


def test_a_run_explains_pictures_as_it_validates_them(finished, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", str(finished), str(photo)]) == 0
    assert main(["explain", str(finished), str(photo), "methods=[layer_cam]", "target=star", "checkpoint=last"]) == 0
    assert Image.open("explain.png").size[0] > 3 * 128
    assert Image.open("explain_2.png").size[0] < Image.open("explain.png").size[0]  # a column less; nothing overwritten
    said = capsys.readouterr().out
    assert "explain.png" in said
    assert "photo.png" in said


def test_a_model_from_a_file(of_model, tmp_path, capsys):
    (tmp_path / "names.txt").write_text("cat\ndog\nbird\n")
    found = []
    for given in ("class_names=[cat,dog,bird]", "class_names=names.txt"):
        assert of_model(given, "target=bird", "out=out/a.png") == 0
        found.append(Image.open("out/a.png").tobytes())
        assert "bird" in capsys.readouterr().out
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["methods=[grad_camm]"], "grad_cam"),
        (["layer=feature"], "try 'features'"),
        (["class_names=[cat,dog,bird]", "target=bid"], "bird"),
        (["target=3"], "expected a target from 0 to 2, got 3"),
        (["class_names=nothing.txt"], "class_names: expected a list or a text file"),
        (["layer=classifier"], "classifier"),
        (["model.weights=DEFAULT"], "model.weights"),
        (["out=photo.png/x.png"], "out: cannot write"),
    ],
)
def test_wrong_input_is_one_line(of_model, capsys, arguments, line):
    assert of_model(*arguments) == 2
    error = capsys.readouterr().err.strip()
    assert line in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "expected a run folder or model=NAME"),
        (["model=small_cnn"], "expected at least one picture"),
        (["model=small_cnn", "nowhere.png"], "'nowhere.png', which does not exist"),
    ],
)
def test_what_is_missing_is_one_line(capsys, arguments, line):
    assert main(["explain", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert line in error
    assert "\n" not in error
