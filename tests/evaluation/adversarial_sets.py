"""Small data and trained networks for the adversarial tests."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from robustlit.data import Npz
from robustlit.modules import ClassificationModule


def pictures(count: int, size: int = 16) -> torch.Tensor:
    """Smooth random pictures, uint8 N×H×W×3."""
    rough = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    return (F.interpolate(rough, size=size, mode="bilinear") * 255).byte().permute(0, 2, 3, 1)


def arrays(path, classes: int, count: int = 32) -> Npz:
    """Pictures whose class is the brightest of so many stripes."""
    images = pictures(count)
    stripes = images.float().mean(3).unflatten(1, (4, 4)).mean((2, 3))[:, :classes]
    labels = stripes.argmax(1).numpy()
    labels[:classes] = np.arange(classes)  # every class occurs
    np.savez(path, x_train=images.numpy(), y_train=labels, x_test=images.numpy(), y_test=labels)
    data = Npz(path, num_classes=classes, batch_size=8, num_workers=0)
    data.prepare_data()
    data.setup("fit")
    return data


def trained(classes: int, steps: int = 60) -> ClassificationModule:
    torch.manual_seed(0)
    head = nn.Linear(8 * 16, classes)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), head)
    module = ClassificationModule(net, num_classes=classes, mean=[0.5] * 3, std=[0.25] * 3)
    images = pictures(256).permute(0, 3, 1, 2) / 255
    labels = images.mean(1).unflatten(1, (4, 4)).mean((2, 3))[:, :classes].argmax(1)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(module(images), labels).backward()
        optimizer.step()
    return module.eval()
