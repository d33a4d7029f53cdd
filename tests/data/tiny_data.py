"""A data set small enough to see through: image i is filled with the values of a ramp that starts at i."""

import numpy as np
from torch.utils.data import Dataset

from robustlit.data import Splits, VisionDataModule


def exhaust(loader):
    """Read every batch. Workers are ended at once: left to the garbage collector after an error, they take seconds."""
    try:
        return list(loader)
    finally:
        if loader._iterator is not None:
            loader._iterator._shutdown_workers()


class Ramp(Dataset):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = (np.arange(10 * 10 * 3).reshape(10, 10, 3) + index).astype(np.uint8)
        return {"image": image, "target": index % 3}


class RampData(VisionDataModule):
    num_classes = 3
    class_names = ("a", "b", "c")

    def load(self):
        return Splits(Ramp(22), None, {"first": Ramp(7), "second": Ramp(5)})
