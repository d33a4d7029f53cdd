"""Augmentation of training batches on the device, for any LightningModule."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn

from robustlit.augmentations import AugmentationOp
from robustlit.callbacks.base import PipelineCallback
from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.stopwatch import Stopwatch
from robustlit.core import Adapter, Pipeline, check_pixels
from robustlit.core.random import fold, mix, sample_seeds

__all__ = ["Augmentation"]


class Augmentation(PipelineCallback):
    """Applies augmentations to every training batch, after it has reached the device and before the module sees it.

    The module's ``training_step`` gets a new batch of the same type; the loader's batch and the data set are untouched.
    A sample's draws depend on (seed, epoch, sample, operation) only, so they are the same for any batch size, number of
    workers or processes, and after a resume. The sample is the index in the batch, or else a hash of its pixels.

    ============================= ====================================================
    ``cost/augmentation_seconds`` seconds spent augmenting in the epoch, on the device
    ============================= ====================================================

    Args:
        operations: One operation, several in the order in which they apply, or a mapping of names to operations.
        seed: Seed of the run; by default the one given to ``pytorch_lightning.seed_everything``, else 0.
        adapter: How to read the batch; by default the module's ``adapter``, else the automatic one.

    Raises:
        TypeError: If something that is not an operation is given.

    Example:
        >>> from robustlit.augmentations import PatchGaussian
        >>> trainer = pl.Trainer(callbacks=[Augmentation(PatchGaussian(patch_size=25, max_sigma=1.0))], logger=False)
    """

    def __init__(
        self,
        operations: AugmentationOp | Iterable[AugmentationOp] | Mapping[str, AugmentationOp],
        *,
        seed: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self.operations = _named(operations)
        self.seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if seed is None else seed
        self.adapter = adapter
        self._epoch = 0
        self._watch = Stopwatch()
        self._is_checked = False

    @property
    def is_active(self) -> bool:
        """Whether there are operations."""
        return bool(self.operations)

    def add_stages(self, pipeline: Pipeline) -> None:
        """Put the operations into the pipeline's first stage."""
        self._is_checked = False
        pipeline.add("augment", self, self._augment)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Remember the epoch; a fit that resumes in mid-epoch calls no ``on_train_epoch_start``."""
        self._epoch = trainer.current_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what the epoch's augmentation cost."""
        if self.is_active:
            log_cost(pl_module, "augmentation_seconds", self._watch.read())

    def _augment(self, module: nn.Module, batch: Any, batch_idx: int | None) -> Any:
        adapter = self.adapter or Adapter.for_module(module)
        images = adapter.images(batch)
        with self._watch.running(images.device):
            return self._augmented(adapter, batch, images)

    def _augmented(self, adapter: Adapter, batch: Any, images: Tensor) -> Any:
        if not self._is_checked:
            check_pixels(images)
            self._is_checked = True
        seeds = sample_seeds(mix(self.seed, "augment", self._epoch), adapter.indices(batch))
        for name, operation in self.operations.items():
            images = operation(images, fold(seeds, name))
        return adapter.replace(batch, images)


def _named(operations: Any) -> dict[str, AugmentationOp]:
    """Name the operations after their classes; the names are part of the draws, so positions must not matter."""
    if isinstance(operations, AugmentationOp):
        operations = [operations]
    if not isinstance(operations, Mapping):
        counts: Counter[str] = Counter()
        named = {}
        for operation in operations:
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(operation).__name__).lower()
            counts[name] += 1
            named[name if counts[name] == 1 else f"{name}_{counts[name]}"] = operation
        operations = named
    for name, operation in operations.items():
        if not isinstance(operation, AugmentationOp):
            raise TypeError(
                f"expected augmentations such as PatchGaussian(), got {type(operation).__name__} for {name!r}; "
                "try an operation of robustlit.augmentations"
            )
    return dict(operations)
