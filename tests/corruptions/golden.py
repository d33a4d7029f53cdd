"""Outputs of the published generators, kept outside the repository; tests that need them skip where they are not."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from robustlit.corruptions.pixels import put

FILES = {
    ("imagenet", "c"): "imagenet_224.npz",
    ("cifar", "c"): "cifar_32.npz",
    ("imagenet", "bar"): "cbar_imagenet_224.npz",
    ("cifar", "bar"): "cbar_cifar_32.npz",
}


def folder() -> Path:
    """The folder of the outputs: $ROBUSTLIT_TEST_GOLDEN, or shared/golden beside the repository."""
    return Path(os.environ.get("ROBUSTLIT_TEST_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))


@cache
def arrays(preset: str, family: str = "c") -> dict[str, np.ndarray]:
    """All outputs of one generator, by ``input`` and ``<corruption>_<severity>``, uint8 H×W×3."""
    path = folder() / FILES[preset, family]
    if not path.is_file():
        pytest.skip(f"no golden outputs: {path.name} is not in $ROBUSTLIT_TEST_GOLDEN")
    with np.load(path) as stored:
        return dict(stored)


def unit(array: np.ndarray) -> Tensor:
    """uint8 H×W×3 as float32 1×3×H×W in [0, 1]."""
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


def stream(severity: int) -> np.random.RandomState:
    """The numpy stream that the generator drew from."""
    return np.random.RandomState(1000 + severity)


def difference(ours: Tensor, reference: np.ndarray) -> tuple[int, float]:
    """Largest difference in grey levels and signed mean difference of 1×3×H×W in [0, 1], truncated, to uint8 H×W×3."""
    found = torch.empty(ours.shape, dtype=torch.uint8)
    put(ours.clamp(0, 1), found, True)
    found = found[0].permute(1, 2, 0).numpy().astype(int)
    delta = found - reference.astype(int)
    return int(np.abs(delta).max()), float(delta.mean())
