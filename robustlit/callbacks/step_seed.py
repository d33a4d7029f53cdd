"""Random numbers of a training step that survive an interruption."""

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from robustlit.core.random import mix

__all__ = ["StepSeed"]


class StepSeed(pl.Callback):
    """Seeds torch, NumPy and Python before every training step from (seed, epoch, batch, rank).

    Dropout and whatever else a module draws inside a step then depend on the position in the run only. A run that was
    killed and resumed draws the same numbers as an unbroken one, without any generator state in the checkpoint, and
    what happens between two steps (validation, panels) cannot move the random stream of training.

    It logs nothing. Use it where runs must be reproducible; give processes of one run the same ``seed``.

    Args:
        seed: The run's seed, any integer.

    Example:
        >>> callback = StepSeed(seed=0)
        >>> callback.seed_step(epoch=2, batch_idx=5); first = torch.rand(3)
        >>> callback.seed_step(epoch=2, batch_idx=5); bool((torch.rand(3) == first).all())
        True
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def seed_step(self, epoch: int, batch_idx: int, rank: int = 0) -> None:
        """Seed the global generators for one training step."""
        step_seed = mix(self.seed, "step", epoch, batch_idx, rank)
        torch.manual_seed(step_seed)
        random.seed(step_seed)
        np.random.seed(step_seed % 2**32)  # the legacy generator is the one that modules read

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed before the step draws anything."""
        self.seed_step(trainer.current_epoch, batch_idx, trainer.global_rank)
