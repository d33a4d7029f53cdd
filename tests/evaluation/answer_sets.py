"""Small data of every task, and networks whose answers vary, for the statistical tests."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from robustlit.data import Npz, ShapesDataModule
from robustlit.modules import ClassificationModule, SegmentationModule
from tests.evaluation.adversarial_sets import pictures


def ready(data):
    data.prepare_data()
    data.setup("fit")
    return data


def classes(path: Path, count: int = 40, names: int = 3, **settings) -> Npz:
    images = pictures(count).numpy()
    labels = np.arange(count) % names
    labels[::5] = 0
    half = count // 2
    arrays = {"x_val": images[:half], "y_val": labels[:half], "x_test": images[half:], "y_test": labels[half:]}
    np.savez(path, x_train=images, y_train=labels, **arrays)
    return ready(Npz(path, num_classes=names, batch_size=8, num_workers=0, **settings))


def labels(path: Path, count: int = 40, names: int = 3) -> Npz:
    images = pictures(count).numpy()
    several = (np.arange(count)[:, None] // [1, 2, 3] % 2).astype(np.int64)
    np.savez(path, x_train=images, y_train=several, x_test=images, y_test=several)
    return ready(Npz(path, class_names=["a", "b", "c"][:names], batch_size=8, num_workers=0))


def masks(folder: Path) -> ShapesDataModule:
    sizes = {"train_size": 8, "val_size": 8, "test_size": 9, "image_size": 32}
    data = ready(ShapesDataModule(task="segmentation", cache_dir=folder, batch_size=2, num_workers=0, **sizes))
    data.test_sets = {"iid": data.test_sets["iid"]}
    return data


def classifier(outputs: int, *, multilabel: bool = False) -> ClassificationModule:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, outputs))
    with torch.no_grad():
        images = pictures(64).permute(0, 3, 1, 2) / 255
        net[-1].weight *= 30
        net[-1].bias -= net(images).mean(0)  # no class for all images
    return ClassificationModule(net, num_classes=outputs, multilabel=multilabel).eval()


def segmenter(data: ShapesDataModule) -> SegmentationModule:
    torch.manual_seed(0)
    return SegmentationModule(nn.Conv2d(3, data.num_classes, 3, padding=1), num_classes=data.num_classes).eval()


def test_images(data, split: str = "test"):
    """Images, targets and indices of a split, read without any loader."""
    items = [data.test_sets[split][place] for place in range(len(data.test_sets[split]))]
    images = torch.stack([torch.from_numpy(item["image"]).permute(2, 0, 1) for item in items]).float() / 255
    targets = torch.stack([torch.as_tensor(item["target"]) for item in items])
    return images, targets, torch.tensor([item["index"] for item in items])


test_images.__test__ = False
