"""`robustlit evaluate model=…`: weights from elsewhere, no run."""

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.cli.main import main
from robustlit.models import resnet18, small_cnn
from robustlit.modules import ClassificationModule
from robustlit.reports import Results

QUICK = (
    "data.eval_transforms=[]",
    "data.batch_size=5",
    "trainer.accelerator=cpu",
    "data.num_workers=0",
)


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures in three classes, without splits."""
    noise = np.random.default_rng(0)
    for place in range(12):
        file = tmp_path / "photos" / "abc"[place % 3] / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(file)
    return tmp_path / "photos"


def weights(path, num_classes=3):
    torch.manual_seed(1)
    net = resnet18(num_classes=num_classes).eval()
    torch.save(net.state_dict(), path)
    return net


def evaluate(*arguments):
    return main(["evaluate", "data=image_folder", *QUICK, *arguments])


def test_torchvision_weights_are_tested_on_every_image(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    net = weights(tmp_path / "mine.pth")
    code = evaluate(
        "model=torchvision",
        "model.name=resnet18",
        f"model.weights={tmp_path / 'mine.pth'}",
        f"data.path={photos}",
        "evaluation=[clean,corruptions]",
        "evaluation.corruptions.families=[extra]",
        "evaluation.corruptions.severities=[1]",
    )
    assert code == 0
    (folder,) = (tmp_path / "runs" / "evaluate" / "resnet18_image_folder").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "evaluation.yaml",
        "results.json",
        "results.csv",
        "results_all_corruptions.png",
        "evaluations",  # outcomes and pictures for reports
    }
    found = Results.read(folder / "results.json")
    assert found.names["model"] == "resnet18"
    clean = next(row for row in found.tests["mine"] if (row.test, row.metric) == ("clean", "accuracy"))
    assert (clean.split, clean.n) == ("all", 12)

    files = sorted(photos.rglob("*.png"))
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(file))) for file in files]).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        predicted = net((pixels - mean) / std).argmax(1)
    truth = torch.tensor(["abc".index(file.parent.name) for file in files])
    assert clean.value == pytest.approx(float((predicted == truth).float().mean()))
    out = capsys.readouterr().out
    assert "mine · all · accuracy in %, by corruption and severity" in out
    assert "results.json" in out


def test_a_checkpoint_is_as_good_and_thresholds_apply(photos, tmp_path, capsys):
    torch.manual_seed(0)
    module = ClassificationModule(small_cnn(num_classes=3, width=4), num_classes=3, mean=[0.5] * 3, std=[0.5] * 3)
    torch.save({"state_dict": module.state_dict()}, tmp_path / "a.ckpt")
    place = tmp_path / "out"
    code = evaluate(
        "model=small_cnn",
        "model.width=4",
        f"checkpoint={tmp_path / 'a.ckpt'}",
        f"data.path={photos}",
        f"out={place}",
        "data.limit_eval=8",
        "--fail-under=clean/accuracy=1.1",
    )
    assert code == 1
    assert "robustlit: all/clean/accuracy: expected at least 1.1, got " in capsys.readouterr().err
    assert {row.n for row in Results.read(place / "results.json").tests["a"]} == {8}


def failure(capsys, *arguments):
    code = evaluate(*arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("robustlit: ")]
    assert len(lines) == 1
    return code, lines[0]


def test_weights_of_other_classes_are_refused(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    weights(tmp_path / "ten.pth", 10)
    for setting in ("model.weights", "checkpoint"):
        code, line = failure(capsys, "model=resnet18", f"{setting}={tmp_path / 'ten.pth'}", f"data.path={photos}")
        assert code == 2
        assert f"{setting}: expected weights for the 3 classes of {photos}, got {tmp_path / 'ten.pth'} for 10; " in line
        assert "try data with those 10 classes, or train a head" in line
    code, line = failure(capsys, "model=resnet18", "model.weights=DEFAULT", f"data.path={photos}")
    assert code == 2
    assert "got DEFAULT for 1000" in line
    assert not (tmp_path / "runs").exists()


def test_a_model_without_weights_is_refused(photos, capsys):
    code, line = failure(capsys, "model=resnet18", f"data.path={photos}")
    assert code == 2
    assert line == ("robustlit: expected trained weights, got none; try model.weights=DEFAULT or checkpoint=FILE")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model=resnet18", "checkpoint=DEFAULT"], "checkpoint: expected a file, got 'DEFAULT'"),
        (["model=resnet18", "checkpoint=lost.ckpt"], "checkpoint: expected a file of weights at lost.ckpt"),
        (["model=resnet18", "model.weights=DEFAULT", "checkpoint=a.ckpt"], "expected one source of weights"),
        (["model=resnet81"], "unknown model 'resnet81'; did you mean 'resnet18'?"),
    ],
)
def test_wrong_settings_are_one_line(arguments, message, photos, capsys):
    code, line = failure(capsys, *arguments, f"data.path={photos}")
    assert code == 2
    assert message in line


def test_results_are_never_overwritten(photos, tmp_path, capsys):
    (tmp_path / "results.json").touch()
    code, line = failure(capsys, "model=resnet18", "checkpoint=a.ckpt", f"data.path={photos}", f"out={tmp_path}")
    assert code == 2
    assert "out: expected a folder without results" in line
