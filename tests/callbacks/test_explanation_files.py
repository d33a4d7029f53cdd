"""Pictures in files and in loggers that take them."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pytorch_lightning.loggers import CSVLogger, MLFlowLogger, WandbLogger

from robustlit.callbacks.explanation_files import publish
from robustlit.callbacks.jpeg import jpeg

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


class Wandb(WandbLogger):
    """Weights & Biases' logger without its package."""

    def __init__(self):
        self.seen = []

    def log_image(self, key, images, step=None, **more):
        self.seen.append((key, images, step))


class MLFlow(MLFlowLogger):
    """MLflow's logger without its package."""

    run_id = "run"

    def __init__(self):
        self.seen = []

    @property
    def experiment(self):
        return SimpleNamespace(log_image=lambda run, image, key, step: self.seen.append((run, key, image, step)))


def test_a_picture_is_a_file_whatever_the_loggers(tmp_path):
    trainer = SimpleNamespace(loggers=[CSVLogger(tmp_path)], global_step=7)
    publish(trainer, tmp_path / "explanations", "test/explain/probe", PICTURE)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "explanations/test/probe.png")), PICTURE)


def test_weights_and_biases_and_mlflow_get_the_same_picture_at_the_step_of_the_scalars(tmp_path):
    wandb, mlflow = Wandb(), MLFlow()
    trainer = SimpleNamespace(loggers=[wandb, mlflow], global_step=7)
    publish(trainer, tmp_path, "explain/probe", PICTURE)
    ((key, (shown,), step),) = wandb.seen
    assert (key, step) == ("explain/probe", 6)
    assert np.array_equal(shown, PICTURE)
    ((run, key, shown, step),) = mlflow.seen
    assert (run, key, step) == ("run", "probe", 6)
    assert np.array_equal(shown, PICTURE)


def test_mlflow_itself_takes_the_picture(tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # its other stores need a data base
    logger = MLFlowLogger("robustlit", tracking_uri=f"file:{tmp_path / 'mlruns'}")
    publish(SimpleNamespace(loggers=[logger], global_step=7), tmp_path / "files", "explain/corruptions/fog", PICTURE)
    found = [path for path in tmp_path.rglob("*fog*") if path.suffix == ".png" and "files" not in path.parts]
    assert np.array_equal(np.asarray(Image.open(found[0])), PICTURE)


def test_weights_and_biases_itself_takes_the_picture(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = WandbLogger("robustlit", save_dir=tmp_path, offline=True)
    publish(SimpleNamespace(loggers=[logger], global_step=7), tmp_path / "files", "explain/corruptions/fog", PICTURE)
    logger.experiment.finish()
    found = [path for path in tmp_path.rglob("fog*.png") if "files" not in path.relative_to(tmp_path).parts[0]]
    assert np.array_equal(np.asarray(Image.open(found[0])), PICTURE)


def test_a_jpeg_keeps_letters_readable():
    black = np.zeros((16, 16, 3), dtype=np.uint8)
    black[4:12, 8] = (214, 39, 40)  # one column of red, as in a letter
    decoded = np.asarray(Image.open(io.BytesIO(jpeg(black)))).astype(int)
    assert np.abs(decoded - black).max() < 40
