"""Whatever is wrong with the input: one line on stderr, exit code 2, nothing overwritten."""

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from robustlit.cli.errors import describe, exit_code
from robustlit.cli.main import main
from robustlit.cli.new_run import device_count
from robustlit.data.errors import UnreadableImageError

COMPOSITION = {
    "trainer.max_epoch=1": "unknown key 'trainer.max_epoch'; did you mean 'trainer.max_epochs'?",
    "max_epochs=1": "did you mean 'trainer.max_epochs'?",
    "dataa=shapes": "did you mean 'data'?",
    "data=shapess": "unknown data 'shapess'; did you mean 'shapes",
    "model=smal_cnn": "did you mean 'small_cnn'?",
    "experiment=quickstrat": "did you mean 'quickstart'?",
    "augmentation=[patch_gausian]": "did you mean 'patch_gaussian'?",
    "~callbacks.step_sed": "did you mean 'callbacks.step_seed'?",
    "data.train_size=[1": "cannot read 'data.train_size=[1'",
    "quickstart": "cannot read 'quickstart'",
    "--epochs": "unknown option '--epochs'",
    "hydra.run.dir=/dev/null/run": "hydra.run.dir: cannot make the run folder: Not a directory",
    "resume=nowhere": "resume: expected a run folder, got 'nowhere'",
}


@pytest.mark.parametrize(("argument", "message"), COMPOSITION.items())
def test_what_cannot_be_composed_is_one_line(argument, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", argument]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("robustlit: ")
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_must_be_given_is_named(tmp_path, capsys):
    assert main(["train", "data=image_folder", f"hydra.run.dir={tmp_path / 'run'}"]) == 2
    assert capsys.readouterr().err == "robustlit: data.path: expected a value, got none; try data.path=VALUE\n"


BUILDING = {
    "+data.sice=1": "data.sice: ShapesDataModule has no such setting; try ~data.sice, which",
    "data.batch_size=0": "data: expected batch_size of at least 1, got 0",
    "trainer.max_epochs=many": "trainer.max_epochs: expected a whole number, got 'many'",
    "trainer.accelerator=quantum": "trainer: ",
    "task=segmentation": "try task=classification",
    "+model.stem=cifar": "model.stem: small_cnn has no such setting; try ~model.stem, which leaves it out",
    "+callbacks.ema.decay=0.9": "callbacks.ema: expected a _target_, got none; try +callbacks=ema",
}


@pytest.mark.parametrize(("argument", "message"), BUILDING.items())
def test_what_cannot_be_built_names_its_section(argument, message, train, tmp_path, capsys):
    assert train(f"hydra.run.dir={tmp_path / 'run'}", argument) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("robustlit: ")]
    assert len(lines) == 1
    assert message in lines[0]


def test_data_that_are_not_there_name_the_setting(tmp_path, capsys):
    run = f"hydra.run.dir={tmp_path / 'run'}"
    assert main(["train", "data=image_folder", f"data.path={tmp_path / 'nothing'}", run]) == 2
    assert "robustlit: data: " in capsys.readouterr().err


def test_a_run_is_never_overwritten(train, finished, capsys):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert finished / ".hydra" / "overrides.yaml" in before
    assert train(f"hydra.run.dir={finished}", "seed=5") == 2
    assert "already holds a run" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}


def test_a_failed_start_leaves_the_folder_to_the_corrected_command(train_photos, photos, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'run'}"
    assert train_photos(f"data.path={photos.parent / 'fotos'}", place) == 2
    assert not (tmp_path / "run").exists()
    assert train_photos(f"data.path={photos}", place) == 0


def one_line(capsys):
    """The whole of stderr, which is one line."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("robustlit: ")
    assert "Traceback" not in error
    return error


def test_a_loss_that_is_not_a_number(train, tmp_path, capsys):
    assert train(f"hydra.run.dir={tmp_path / 'run'}", "task.optimizer.lr=1e30", "task.schedule=null") == 2
    error = one_line(capsys)
    assert "expected a finite loss, got " in error
    assert "try a lower task.optimizer.lr" in error


def test_a_class_index_out_of_range(train_photos, tmp_path, capsys):
    images, labels = np.zeros((8, 16, 16, 3), np.uint8), np.array([0, 1, 0, 5] * 2)
    np.savez(tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    arguments = ("data=npz", f"data.path={tmp_path / 'set.npz'}", "data.num_classes=2", "data.batch_size=8")
    assert train_photos(f"hydra.run.dir={tmp_path / 'run'}", *arguments) == 2
    error = one_line(capsys)
    assert f"robustlit: data: expected labels 0 … 1 in {tmp_path / 'set.npz'} x_train, got 5 at row 3; try " in error
    assert "num_classes" in error


@pytest.mark.parametrize(
    ("size", "value", "message"),
    [
        ((16, 12), 0, "robustlit: data: expected image and mask of one size, got 16×16 in "),
        ((16, 16), 5, "robustlit: data: expected class indices 0 … 1 or ignore_index=None in "),
    ],
)
def test_masks_that_do_not_fit(size, value, message, train_photos, photos, tmp_path, capsys):
    (photos / "cats").rename(photos / "images")
    (photos / "masks").mkdir()
    for path in (photos / "images").iterdir():
        Image.new("L", size, value).save(photos / "masks" / path.name)
    arguments = ("data=mask_folder", f"data.path={photos}", "data.num_classes=2", "task=segmentation", "model=unet")
    assert train_photos(f"hydra.run.dir={tmp_path / 'run'}", "~data.eval_transforms", *arguments) == 2
    error = one_line(capsys)
    assert error.startswith(message)
    assert f"{photos / 'masks'}/" in error


def test_channels_that_do_not_fit(train_photos, photos, tmp_path, capsys):
    assert train_photos(f"hydra.run.dir={tmp_path / 'run'}", f"data.path={photos}", "model.in_channels=1") == 2
    assert "expected images with 1 channels, got 3; try model.in_channels=3" in one_line(capsys)


def test_an_empty_folder(train_photos, photos, tmp_path, capsys):
    for path in (photos / "cats").iterdir():
        path.unlink()
    assert train_photos(f"hydra.run.dir={tmp_path / 'run'}", f"data.path={photos}") == 2
    error = one_line(capsys)
    assert f"robustlit: data: expected images in {photos / 'cats'}, got an empty folder; try another path" in error


def test_a_broken_image(train_photos, photos, tmp_path, capsys):
    for path in photos.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:60])
    assert train_photos(f"hydra.run.dir={tmp_path / 'run'}", f"data.path={photos}") == 2
    error = one_line(capsys)
    assert f"robustlit: data: expected a readable image in {photos}/" in error
    assert error.endswith("try on_bad_image=skip\n")


@pytest.mark.parametrize("flag", ["", "-m"])
def test_a_file_in_the_place_of_the_run_folder(flag, tmp_path, capsys):
    (tmp_path / "run").touch()
    key = "hydra.sweep.dir" if flag else "hydra.run.dir"
    assert main(["train", f"{key}={tmp_path / 'run'}", *filter(None, [flag])]) == 2
    error = one_line(capsys)
    assert error.startswith(f"robustlit: {key}: cannot make the run folder: ")
    assert error.endswith(f"({tmp_path / 'run'}); try another folder\n" if not flag else "; try another folder\n")


class Failing(Dataset):
    """Fails at every item."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int):
        raise self.error


def from_a_worker(error: Exception) -> Exception:
    try:
        list(DataLoader(Failing(error), num_workers=2))
    except Exception as sent:
        sent.__context__ = None  # tracebacks hold frames, and those the workers
        return sent.with_traceback(None)
    pytest.fail("nothing was raised")


@pytest.mark.parametrize(
    "error",
    [
        OSError(2, "No such file or directory", "photo.png"),
        KeyError("label"),
        ValueError("expected this: that,\n  got more; try less"),
        RuntimeError("no memory"),
        UnreadableImageError("expected a readable image in a.png, got 'broken'; try on_bad_image=skip"),
    ],
)
def test_an_error_in_a_worker_reads_like_one_without_workers(error):
    sent = from_a_worker(error)
    assert type(sent) is type(error)
    assert describe(sent) == describe(error)


def test_the_message_of_an_error_that_cannot_be_sent_is_kept():
    sent = from_a_worker(UnicodeDecodeError("utf-8", b"a", 0, 1, "no text"))
    assert describe(sent).startswith("unexpected UnicodeDecodeError: 'utf-8' codec can't decode")


def test_an_unknown_option_in_a_sweep_stops_it(train, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train("-m", "data=shapes,nope") == 2
    assert "unknown data 'nope'" in one_line(capsys)
    assert list(tmp_path.rglob("config.yaml")) == []


def test_in_a_sweep_the_other_jobs_go_on(train, tmp_path, capsys):
    assert train("-m", "task.optimizer.lr=-1,0.1", f"hydra.sweep.dir={tmp_path}") == 2
    assert "robustlit: job 1 of 2 (-1)" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*/results.json"))) == 1
    assert len(list(tmp_path.glob("*/config.yaml"))) == 2


def test_a_sweep_over_several_processes_is_refused(train, tmp_path, capsys):
    assert train("-m", "seed=0", "trainer.devices=2", "trainer.strategy=ddp", f"hydra.sweep.dir={tmp_path}") == 2
    assert "trainer.devices: expected 1 in a sweep, got 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("devices", "accelerator", "count"),
    [
        (1, "auto", 1),
        (2, "cpu", 2),
        ("3", "gpu", 3),
        ([1], "gpu", 1),
        ([0, 3], "gpu", 2),
        ("0,1", "gpu", 2),
        ("1,", "gpu", 1),
        ("auto", "auto", 4),
        (-1, "gpu", 4),
        ("auto", "cpu", 1),
    ],
)
def test_devices_are_counted_as_lightning_does(devices, accelerator, count, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert device_count(devices, accelerator) == count


def test_full_error_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert main(["train", "data=nope"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_unexpected_gives_its_type_and_exit_code_1():
    assert describe(RuntimeError("a\nb")) == "unexpected RuntimeError: a b; set HYDRA_FULL_ERROR=1 to see where"
    assert exit_code(RuntimeError()) == 1
    assert exit_code(ValueError()) == 2
