"""Small sets in the published layouts, whose every pixel says which cell, class and image it belongs to."""

import json

import numpy as np
from PIL import Image

from robustlit.corruptions import CustomCorruption


def write(path, value, size=(20, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path, format="PNG")


def write_mask(path, value, size=(20, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(path)


def write_arrays(folder, names=("fog", "snow"), count=6, severities=5):
    """Pixels are 40 × severity + image; labels are image modulo 3."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [40 * severity + i for severity in range(severities) for i in range(count)]
    images = np.array(rows, np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2).repeat(3, 3)
    for place, name in enumerate(names):
        np.save(folder / f"{name}.npy", images + np.uint8(10 * place))
    np.save(folder / "labels.npy", np.array([i % 3 for _ in range(severities) for i in range(count)]))
    return folder


def write_class_folders(folder, names=("blur/glass_blur", "noise/shot_noise"), levels=("1", "2", "3", "4", "5")):
    """Pixels are 50 × class + 10 × level + image."""
    for name in names:
        for place, level in enumerate(levels):
            for number, wnid in enumerate(("n01440764", "n01443537")):
                for i in range(2):
                    write(folder / name / level / wnid / f"val_{i}.JPEG", 50 * number + 10 * place + i)
    return folder


def write_clean(folder, count=3):
    """An image folder of two classes, of pictures that differ in size."""
    for number, name in enumerate(("cat", "dog")):
        for i in range(count):
            write(folder / name / f"{i}.png", 60 + 60 * number + i, size=(20 + (i == 2), 24))
    return folder


def write_npz(path, count=7):
    images = np.random.RandomState(0).randint(0, 256, (count, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(count) % 3
    np.savez(path, x_train=images[:2], y_train=labels[:2], x_test=images, y_test=labels)
    return path, images, labels


def provenance(folder):
    """What was written beside a set about how it was made."""
    return json.loads((folder / "provenance.json").read_text())


def shifted(images, severity, seeds):
    """A corruption whose pixels depend on the severity and on the seed of each sample."""
    return (images + severity / 51 + (seeds % 7).view(-1, 1, 1, 1) / 255).clamp(0, 1)


SHIFTED = CustomCorruption(shifted)
DARKER = CustomCorruption(lambda images, severity, seeds: images * (1 - severity / 10), name="darker")
