"""The replays of every corruption, by name."""

import importlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from robustlit.corruptions.base import Draws, Level

GROUPS = ("noise", "digital", "blur", "weather", "bar_noise", "bar_geometry")
Replay: TypeAlias = Callable[[np.random.RandomState, np.ndarray, Level], Draws]


def every_replay() -> dict[str, Replay]:
    """Return a function for each corruption: numpy stream, uint8 H×W×3 image and level to the draws of one sample."""
    found: dict[str, Replay] = {}
    for group in GROUPS:
        found |= importlib.import_module(f"tests.corruptions.replays.{group}").REPLAYS
    return found
