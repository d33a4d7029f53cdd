"""Every model and task YAML builds what its name says."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from robustlit.models import small_cnn, unet
from robustlit.modules import ClassificationModule, SegmentationModule

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize("path", sorted((CONF / "model").glob("*.yaml")), ids=lambda path: path.stem)
def test_model_yaml_builds_a_network(path):
    if path.stem == "timm":
        pytest.importorskip("timm")
    named = {"own": {"_target_": "robustlit.models.small_cnn"}, "timm": {"name": "resnet10t"}}.get(path.stem, {})
    network = instantiate(OmegaConf.merge(OmegaConf.load(path), named), in_channels=1, num_classes=4)
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 1, 64, 64)).shape[:2] == (1, 4)


@pytest.mark.parametrize("path", sorted((CONF / "task").glob("*.yaml")), ids=lambda path: path.stem)
def test_task_yaml_builds_a_module_that_trains(path, make_loader, make_trainer):
    node = OmegaConf.load(path)
    masks = path.stem == "segmentation"
    network = (unet if masks else small_cnn)(num_classes=3, width=4)
    data = {"num_classes": 3, "class_names": ("a", "b", "c"), "mean": (0.5,) * 3, "std": (0.2,) * 3}
    module = instantiate(node, network, **data, **({"ignore_index": 255} if masks else {}))
    assert isinstance(module, SegmentationModule if masks else ClassificationModule)
    task = "segmentation" if masks else "multilabel" if path.stem == "multilabel" else "single"
    make_trainer().fit(module, make_loader(task))
    assert module.optimizers().param_groups[0]["weight_decay"] > 0
    assert module.lr_schedulers().last_epoch == 3
