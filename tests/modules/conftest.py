"""Tiny data, networks and trainers for the tests of the modules."""

import functools

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from robustlit.models import small_cnn, unet
from robustlit.modules import ClassificationModule, SegmentationModule
from robustlit.modules.schedules import one_cycle


class Samples(Dataset):
    """Images and targets as dicts, the way robustlit's data modules hand them out."""

    def __init__(self, images, targets):
        self.images, self.targets = images, targets

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"image": self.images[index], "target": self.targets[index], "index": index}


def targets_for(task, n, size):
    masks = torch.randint(3, (n, size, size))
    masks[:, :2] = 255
    return {
        "single": torch.randint(3, (n,)),
        "soft": torch.rand(n, 3).softmax(1),
        "multilabel": torch.randint(2, (n, 3)).float(),
        "segmentation": masks,
        "binary": torch.randint(2, (n, 1, size, size)),
    }[task]


@pytest.fixture
def make_loader():
    def make(task, n=12, batch_size=4, size=16):
        return DataLoader(Samples(torch.rand(n, 3, size, size), targets_for(task, n, size)), batch_size=batch_size)

    return make


@pytest.fixture
def make_module():
    def make(task, **options):
        options.setdefault("optimizer", functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9))
        options.setdefault("schedule", one_cycle)
        norm = options.pop("norm", "batch")
        if task in ("segmentation", "binary"):
            classes = 3 if task == "segmentation" else 1
            network = unet(num_classes=classes, width=4, depth=2, norm=norm)
            return SegmentationModule(network, num_classes=classes, ignore_index=255, **options)
        network = small_cnn(num_classes=3, width=4, norm=norm)
        return ClassificationModule(network, num_classes=3, multilabel=task == "multilabel", **options)

    return make


@pytest.fixture
def make_trainer(tmp_path):
    def make(**options):
        defaults = {
            "accelerator": "cpu",
            "max_epochs": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "default_root_dir": tmp_path,
        }
        return pl.Trainer(**defaults | options)

    return make
