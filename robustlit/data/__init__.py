"""LightningDataModules: real data in, batches of dicts with image, target and index out."""

from robustlit.data.base import VisionDataModule
from robustlit.data.cifar import CIFAR10, CIFAR100
from robustlit.data.corrupted import CorruptedSet, open_corrupted
from robustlit.data.errors import DataError
from robustlit.data.fashion_mnist import FashionMNIST
from robustlit.data.image_folder import ImageFolder
from robustlit.data.mask_folder import MaskFolder
from robustlit.data.npz import Npz
from robustlit.data.pets import Pets
from robustlit.data.shapes import ShapesDataModule
from robustlit.data.split import Splits
from robustlit.data.style_pairs import StylePairs
from robustlit.data.voc import VOC

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "VOC",
    "CorruptedSet",
    "DataError",
    "FashionMNIST",
    "ImageFolder",
    "MaskFolder",
    "Npz",
    "Pets",
    "ShapesDataModule",
    "Splits",
    "StylePairs",
    "VisionDataModule",
    "open_corrupted",
]
