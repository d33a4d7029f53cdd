"""Corrupted sets on disk, one class a layout, and writing such sets."""

from robustlit.data.corrupted.acdc import Acdc
from robustlit.data.corrupted.arrays import Arrays
from robustlit.data.corrupted.base import CellKey, CorruptedSet
from robustlit.data.corrupted.class_folders import ClassFolders
from robustlit.data.corrupted.mask_folders import MaskFolders
from robustlit.data.corrupted.open import LAYOUTS, open_corrupted
from robustlit.data.corrupted.writing import Plan, write_corrupted

__all__ = [
    "LAYOUTS",
    "Acdc",
    "Arrays",
    "CellKey",
    "ClassFolders",
    "CorruptedSet",
    "MaskFolders",
    "Plan",
    "open_corrupted",
    "write_corrupted",
]
