"""A tiny run for the tests of the command line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robustlit.cli.main import main

TINY = (
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "data.train_size=40",
    "data.val_size=20",
    "data.test_size=20",
    "data.batch_size=8",
    "data.num_workers=0",
    "model.width=4",
    "model.dropout=0.2",
    "callbacks.progress.refresh_rate=0",
)


PHOTOS = (
    "data=image_folder",
    "data.train_transforms=[]",
    "data.eval_transforms=[]",
    "data.batch_size=4",
    "data.val_fraction=0.25",
    "model.width=4",
    "trainer=debug",
    "callbacks.progress.refresh_rate=0",
)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def train(cache: Path) -> Callable[..., int]:
    """Run `robustlit train` on the quickstart at a tiny size, in this process."""

    def start(*arguments: str) -> int:
        return main(["train", "experiment=quickstart", f"data.cache_dir={cache}", *TINY, *arguments])

    return start


@pytest.fixture(scope="session")
def finished(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, for tests that only read it."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    fixed = ["train", "experiment=quickstart", f"data.cache_dir={cache}", *TINY]
    if main([*fixed, f"hydra.run.dir={folder}"]) != 0:
        raise RuntimeError("the tiny run failed")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures in two classes, without a test split."""
    noise = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(8):
            pixels = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


@pytest.fixture
def train_photos() -> Callable[..., int]:
    """Run `robustlit train` for one short epoch on a folder of pictures, in this process."""

    def start(*arguments: str) -> int:
        return main(["train", *PHOTOS, *arguments])

    return start
