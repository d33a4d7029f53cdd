from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from pytorch_lightning import Callback

FOLDER = Path(__file__).parents[2] / "conf" / "callbacks"
FILES = [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem not in ("default", "augmentation")]

EVALUATING = ("adversarial_evaluation", "embeddings", "explanation_panels")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_builds_the_callback_named_after_it(path):
    assert path.read_text().startswith("# @package callbacks\n")
    config = OmegaConf.create({"seed": 5, "callbacks": OmegaConf.load(path)})
    (name,) = config.callbacks
    assert name == path.stem
    monitored = {"monitor": "val/accuracy"} if "monitor" in config.callbacks[name] else {}
    callback = instantiate(config.callbacks[name], **monitored)
    assert isinstance(callback, Callback)
    # what evaluates has a seed of its own, so that the runs of a sweep face the same test
    assert getattr(callback, "seed", 5) == (0 if name in EVALUATING else 5)
