"""`robustlit evaluate` with what is not robustlit's: networks, functions, corruptions, other sets."""

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.cli.main import main
from robustlit.data.imagenet import WNIDS
from robustlit.reports import Results

QUICK = ("data.eval_transforms=[]", "data.batch_size=4", "data.num_workers=0", "trainer.accelerator=cpu")
MINE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.layer = nn.Linear(3, classes)

    def forward(self, images):
        return self.layer(images.mean((2, 3)))

    @classmethod
    def from_nothing(cls, classes=1000):
        torch.manual_seed(0)
        return cls(classes)


def by_red(images):
    return torch.stack((images[:, 0].mean((1, 2)), images[:, 1].mean((1, 2))), 1)


def negative(images, severity, seeds):
    return 1 - images


def darker(images, severity, seeds):
    return images * (1 - 0.15 * severity)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A user's module on the path."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "my_parts.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.chdir(tmp_path)


def pictures(root, names):
    """Write four pictures a class, the first class red and the others green."""
    noise = np.random.default_rng(0)
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(4):
            pixels = noise.integers(0, 100, (16, 16, 3), dtype=np.uint8)
            pixels[..., 0 if name == names[0] else 1] += 100
            Image.fromarray(pixels).save(root / name / f"{number}.png")


def rows_of(out):
    (rows,) = Results.read(out / "results.json").tests.values()
    return {f"{row.test}/{row.metric}": row for row in rows}


def test_a_class_of_ones_own_on_some_of_imagenets_classes(mine, tmp_path, capsys):
    pictures(tmp_path / "photos", WNIDS[3:5])
    out = tmp_path / "out"
    code = main(
        [
            "evaluate",
            *("model=own", "model._target_=my_parts.Net.from_nothing", f"out={out}"),
            *("data=imagenet_folder", f"data.path={tmp_path / 'photos'}", *QUICK),
            *("evaluation=[clean,shift]", "evaluation.shift.pixels=[1]"),
        ]
    )
    assert code == 0
    rows = rows_of(out)
    assert rows["clean/accuracy"].n == 8
    assert rows["shift/consistency"].n == 8
    assert list(Results.read(out / "results.json").tests) == ["Net"]


def test_a_function_and_corruptions_of_ones_own(mine, tmp_path):
    pictures(tmp_path / "photos", ["a", "b"])
    out = tmp_path / "out"
    own = ",".join(f"{{_target_:hydra.utils.get_method,path:my_parts.{name}}}" for name in ("negative", "darker"))
    code = main(
        [
            "evaluate",
            *("model=own", "model._target_=hydra.utils.get_method", "+model.path=my_parts.by_red", f"out={out}"),
            *("data=image_folder", f"data.path={tmp_path / 'photos'}", *QUICK),
            *("data.mean=[0,0,0]", "data.std=[1,1,1]", "evaluation=[clean,corruptions]"),
            *("evaluation.corruptions.families=[]", f"evaluation.corruptions.own=[{own}]"),
            "evaluation.corruptions.severities=[1,5]",
        ]
    )
    assert code == 0
    rows = rows_of(out)
    assert rows["clean/accuracy"].value == 1.0
    assert rows["own/accuracy/darker/5"].value == 1.0  # red stays the larger
    assert rows["own/accuracy/negative/1"].value == 0.0


def test_another_set_and_a_threshold(mine, tmp_path, capsys):
    pictures(tmp_path / "photos", ["a", "b"])
    pictures(tmp_path / "drawings", ["red", "green", "blue"])
    (tmp_path / "classes.csv").write_text("class,model_class\nred,a\ngreen,b\n")
    out = tmp_path / "out"
    code = main(
        [
            "evaluate",
            *("model=own", "model._target_=hydra.utils.get_method", "+model.path=my_parts.by_red", f"out={out}"),
            *("data=image_folder", f"data.path={tmp_path / 'photos'}", *QUICK),
            *("data.mean=[0,0,0]", "data.std=[1,1,1]", "evaluation=[transfer]"),
            *("evaluation.transfer.data=drawings", "evaluation.transfer.mapping=classes.csv"),
            "--fail-under=drawings/accuracy=1.0",
            "--fail-under=other/drawings/mean_class_accuracy=1.01",
        ]
    )
    assert code == 1
    assert "other/drawings/mean_class_accuracy: expected at least 1.01, got 1.0000, n = 8" in capsys.readouterr().err
    row = rows_of(out)["drawings/accuracy"]
    assert (row.value, row.n, row.conditions["left_out_images"]) == (1.0, 8, 4)
    assert row.conditions["mapping"] == "classes.csv"


def test_what_is_missing_is_one_line(mine, tmp_path, capsys):
    pictures(tmp_path / "photos", ["a", "b"])
    data = ("data=image_folder", f"data.path={tmp_path / 'photos'}", *QUICK)
    for arguments, message in (
        (["model=own"], "model._target_: expected a value, got none; try model._target_=VALUE"),
        (["model=own", "model._target_=my_parts.Nett"], "my_parts.Nett"),
        (
            ["model=own", "model._target_=my_parts.Net", "+model.classes=2", "evaluation=[transfer]"],
            "evaluation.transfer.data: expected a value, got none",
        ),
        (
            [
                *("model=own", "model._target_=my_parts.Net", "+model.classes=2", "evaluation=[transfer]"),
                "evaluation.transfer.data=lost",
            ],
            "expected a folder or an .npz file at lost, got nothing there",
        ),
    ):
        assert main(["evaluate", *arguments, *data]) == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("robustlit: ")]
        assert message in line


def test_weights_from_a_file_go_into_ones_own_class(mine, tmp_path):
    pictures(tmp_path / "photos", ["a", "b"])
    torch.save({"layer.weight": torch.tensor([[1.0, 0, 0], [0, 1, 0]]), "layer.bias": torch.zeros(2)}, "mine.pth")
    out = tmp_path / "out"
    code = main(
        [
            "evaluate",
            *("model=own", "model._target_=my_parts.Net", "+model.classes=2", "checkpoint=mine.pth", f"out={out}"),
            *("data=image_folder", f"data.path={tmp_path / 'photos'}", *QUICK),
        ]
    )
    assert code == 0
    assert rows_of(out)["clean/accuracy"].value == 1.0
