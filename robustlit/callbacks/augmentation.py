"""Augmentation of training batches on the device, for any LightningModule."""

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn

from robustlit.augmentations import AugmentationOp
from robustlit.augmentations.schedules import Schedule
from robustlit.callbacks.augmentation_chain import find_targets, named, run_chain
from robustlit.callbacks.augmentation_cost import AugmentationCost
from robustlit.callbacks.augmentation_pictures import AugmentationPictures
from robustlit.callbacks.augmentation_schedules import AugmentationSchedules
from robustlit.callbacks.base import PipelineCallback
from robustlit.callbacks.consistency import Scene, consistency_term, of_consistency
from robustlit.core import Adapter, Pipeline, Step, check_pixels
from robustlit.core.random import mix, sample_seeds

__all__ = ["Augmentation"]


class Augmentation(PipelineCallback):
    """Applies augmentations to every training batch, after it has reached the device and before the module sees it.

    The module's ``training_step`` gets a new batch of the same type; the loader's batch and the data set are untouched.
    A sample's draws depend on (seed, epoch, sample, operation) only, so they are the same for any batch size, number of
    workers or processes, and after a resume. The sample is the index in the batch, or else a hash of its pixels.

    Class masks move with their images where an operation moves these, and stay the same object where none does. Labels
    become soft (MixUp, CutMix, ``label_gamma``) only where the adapter says that the module's step understands them. An
    operation with a ``jsd_weight`` (AugMix, PRIME) leaves the module's own step the images without it, and adds the
    Jensen–Shannon divergence between their predictions and those of two changed versions to the loss.

    ===================================== =============================================================================
    ``train/jsd``                         mean over the epoch of that divergence, without its weight
    ``train/augmentation/<name>/<what>``  value of a scheduled setting in this epoch
    ``train/augmentation`` (picture)      the same training images before and after, their difference, what was drawn,
                                          and the outlines of masks
    ``cost/augmentation_seconds``         seconds spent augmenting in the epoch, on the device
    ``cost/augmentation_share``           that as a share of the epoch's training steps, which include it
    ``cost/augmentation/<name>_ms``       milliseconds a batch of each operation; of ``jsd`` those of the added term
    ``cost/augmentation/<name>_share``    that as a share of the training step
    ===================================== =============================================================================

    Args:
        operations: One operation, several in the order in which they apply, or a mapping of names to operations.
        schedules: By name of an operation, by name of a setting: how it changes over the epochs, such as
            ``{"patch_gaussian": {"max_sigma": Linear(0.0, 1.0)}}``. Outside of the fit settings are as they were given.
        pictures: Images in the picture; 0 for none.
        every_n_epochs: Draw the picture in every so many epochs.
        num_classes: How many classes there are, where labels become soft; by default as the module or data module says.
        seed: Seed of the run; by default the one given to ``pytorch_lightning.seed_everything``, else 0.
        adapter: How to read the batch; by default the module's ``adapter``, else the automatic one.

    Raises:
        TypeError: If something that is not an operation or a schedule is given.
        ValueError: If a schedule names no operation or setting, or two operations have a ``jsd_weight``.

    Example:
        >>> from robustlit.augmentations import PatchGaussian
        >>> trainer = pl.Trainer(callbacks=[Augmentation(PatchGaussian(patch_size=25, max_sigma=1.0))], logger=False)
    """

    def __init__(
        self,
        operations: AugmentationOp | Iterable[AugmentationOp] | Mapping[str, AugmentationOp],
        *,
        schedules: Mapping[str, Mapping[str, Schedule]] | None = None,
        pictures: int = 4,
        every_n_epochs: int = 5,
        num_classes: int | None = None,
        seed: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        if not 0 <= pictures <= 32 or every_n_epochs < 1:
            raise ValueError(
                f"expected pictures from 0 to 32 and every_n_epochs from 1, got {pictures} and {every_n_epochs}; "
                "try 4 and 5"
            )
        self.operations = named(operations)
        self.seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if seed is None else seed
        self.adapter = adapter
        self.num_classes = num_classes
        self._plain, self._views = of_consistency(self.operations)
        self._schedules = AugmentationSchedules(self.operations, schedules or {})
        self._pictures = AugmentationPictures(pictures, every_n_epochs)
        self._cost = AugmentationCost()
        self._classes = num_classes
        self._epoch = 0
        self._step = ExitStack()
        self._is_checked = False
        self._scene: Scene | None = None
        self._divergence: tuple[Tensor, int] | None = None

    @property
    def is_active(self) -> bool:
        """Whether there are operations."""
        return bool(self.operations)

    def add_stages(self, pipeline: Pipeline) -> None:
        """Put the operations into the pipeline's first stage, and the divergence into the last."""
        self._is_checked = False
        pipeline.add("augment", self, self._augment)
        if self._views:
            pipeline.add_loss(self, self._term)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Join the module's pipeline when a fit begins, and find out how many classes there are."""
        super().setup(trainer, pl_module, stage)
        if stage == "fit":
            self._schedules.check(trainer.max_epochs)
            owners = (pl_module, getattr(trainer, "datamodule", None))
            known = [getattr(owner, "num_classes", None) for owner in owners]
            self._classes = self.num_classes or next((each for each in known if isinstance(each, int)), None)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set what is scheduled; a fit that resumes in mid-epoch calls no ``on_train_epoch_start``."""
        if not self.is_active:
            return
        self._epoch = trainer.current_epoch
        self._schedules.set(self._epoch, trainer.max_epochs)
        if self._pictures.is_due(trainer):
            self._pictures.keep(self._adapter(pl_module), batch)
        self._step.enter_context(self._cost.step(pl_module.device))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the step's clock; draw the picture where it is due."""
        self._step.close()
        if self.is_active and self._pictures.is_due(trainer):
            self._pictures.draw(trainer, self.operations, self._epoch_seed(), self._classes)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what the epoch's augmentation cost, what was scheduled, and the mean divergence."""
        if not self.is_active:
            return
        self._cost.log(pl_module)
        self._schedules.log(pl_module)
        if self._divergence is not None:
            total, count = self._divergence
            pl_module.log("train/jsd", total / count, sync_dist=True, batch_size=1)
            self._divergence = None

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the pipeline, and the operations as they were given."""
        self._leave()
        super().teardown(trainer, pl_module, stage)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the pipeline, and the operations as they were given."""
        self._leave()
        super().on_exception(trainer, pl_module, exception)

    def _augment(self, module: nn.Module, batch: Any, batch_idx: int | None) -> Any:
        adapter = self._adapter(module)
        images = adapter.images(batch)
        if not self._is_checked:
            check_pixels(images)
            self._is_checked = True
        targets = find_targets(adapter, batch)
        seeds = sample_seeds(self._epoch_seed(), adapter.indices(batch))
        changed = run_chain(self._plain, images, targets, seeds, self._classes, self._cost.of)
        if self._views:
            self._scene = Scene(adapter, changed.images, changed.targets, seeds)
        if not self._plain:
            return batch
        return adapter.replace(batch, changed.images, None if changed.targets is targets else changed.targets)

    def _term(self, module: nn.Module, step: Step) -> Tensor:
        scene, self._scene = self._scene, None
        if scene is None:
            raise RuntimeError("expected an augmented batch, got none; try reporting this as a bug")
        with self._cost.of("jsd", scene.images.device):
            divergence = consistency_term(module, step, scene, self._views)
        total, count = self._divergence or (divergence.new_zeros(()), 0)
        self._divergence = total + divergence.detach() * len(scene.images), count + len(scene.images)
        return divergence * next(iter(self._views.values())).jsd_weight

    def _adapter(self, module: nn.Module) -> Adapter:
        return self.adapter or Adapter.for_module(module)

    def _epoch_seed(self) -> int:
        return mix(self.seed, "augment", self._epoch)

    def _leave(self) -> None:
        self._step.close()
        self._schedules.reset()
        self._pictures.forget()
        self._scene = self._divergence = None
