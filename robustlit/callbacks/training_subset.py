"""Some training images that stay the same, as the loader gave them in the first epoch."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytorch_lightning as pl
import torch

from robustlit.core import Adapter, check_pixels, private
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import first_loader
from robustlit.evaluation.passes.selection import Selection

__all__ = ["TrainingSubset"]


class TrainingSubset:
    """Keeps chosen images of the first epoch on the CPU.

    They are what the loader gives, before the stages of the training-step pipeline change the batch; augmentation
    inside the loader is in them. Without an index in the batch a hash of the pixels stands in.

    Args:
        count: How many, chosen by a hash of their index.
    """

    def __init__(self, count: int | None) -> None:
        self._selection = Selection(count, seed=1)
        self._chunks: list[Chunk] = []
        self._started = False
        self.is_complete = False

    def begin(self) -> None:
        """Forget what was kept; gather in the next epoch."""
        self._chunks, self._started, self.is_complete = [], False, False

    def add(self, trainer: pl.Trainer, adapter: Adapter, batch: Any) -> None:
        """Keep what is chosen of a training batch, until the epoch is over."""
        if self.is_complete:
            return
        if not self._started:
            dataset = getattr(first_loader(trainer.train_dataloader), "dataset", None)
            self._selection.begin(SimpleNamespace(dataset=dataset))  # positions change with the sampler
            check_pixels(adapter.images(batch))
            self._started = True
        positions, ids = self._selection.choose(adapter, batch)
        if len(positions):
            images, targets = adapter.images(batch)[positions], adapter.targets(batch)[positions]
            self._chunks.append(Chunk(private(images).cpu(), private(targets).cpu(), private(ids).cpu()))
        self.is_complete = trainer.is_last_batch

    def chunks(self, batch_size: int, device: torch.device) -> Iterator[Chunk]:
        """Yield the images in batches on a device."""
        if not self._chunks:
            return
        whole = Chunk(
            torch.cat([chunk.images for chunk in self._chunks]),
            torch.cat([chunk.targets for chunk in self._chunks]),
            torch.cat([chunk.ids for chunk in self._chunks]),
        )
        self._chunks = [whole]
        for start in range(0, len(whole), batch_size):
            part = whole[start : start + batch_size]
            yield Chunk(part.images.to(device), part.targets.to(device), part.ids.to(device))
