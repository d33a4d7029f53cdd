"""The LightningDataModule under every data set: settings, splits, loaders, and where a run was in the data."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypedDict

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, Subset

from robustlit.core.names import lookup
from robustlit.core.random import mix
from robustlit.data.collate import Collate, to_batch
from robustlit.data.loader import ResumableLoader
from robustlit.data.samples import Samples, Task
from robustlit.data.sampling import EvaluationBatchSampler, Key, SeededBatchSampler
from robustlit.data.split import Splits, permutation, random_split
from robustlit.data.unreadable import without_unreadable

__all__ = ["DataSettings", "Splits", "VisionDataModule"]

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EVALUATION_SEED = 0  # not the run's seed: the runs of a sweep face the same test


class DataSettings(TypedDict, total=False):
    """The keywords every DataModule understands; :class:`VisionDataModule` documents them."""

    batch_size: int
    eval_batch_size: int | None
    num_workers: int | Literal["auto"]
    seed: int
    split_seed: int
    val_fraction: float
    train_transforms: Sequence[Any] | None
    eval_transforms: Sequence[Any] | None
    on_bad_image: Literal["error", "skip"]
    limit_train: int | None
    limit_eval: int | None
    mean: Sequence[float] | None
    std: Sequence[float] | None


class VisionDataModule(pl.LightningDataModule, ABC):
    """A data set in batches of dicts: ``image`` float32 N×C×H×W in [0, 1], ``target`` and ``index`` (int64 N).

    A subclass implements :meth:`load` and sets there ``task``, ``num_classes``, ``class_names``, ``channels`` and
    ``ignore_index``. Everything drawn at random depends on seeds, epoch and sample index, never on a global generator
    or on the number of workers. A run stopped in mid-epoch goes on with the next batch of that epoch. Under several
    processes give the Trainer ``use_distributed_sampler=False``; evaluation is then neither padded nor repeated.

    Args:
        batch_size: Training samples a batch and process.
        eval_batch_size: Evaluation samples a batch and process; None for ``batch_size``.
        num_workers: Loader processes; "auto" is none without CUDA, else one less than the cores, at most 8.
        seed: Seed of shuffling and of the training transforms.
        split_seed: Seed of the random split and of the limits; apart from ``seed``, so that runs with other seeds still
            validate on the same images.
        val_fraction: Share of the training data held out where the set has no validation split, in [0, 1).
        train_transforms: albumentations transforms for training, seeded for every sample and epoch.
        eval_transforms: albumentations transforms for evaluation, seeded for every sample.
        on_bad_image: "error" stops at a file that cannot be read; "skip" reads every file once at the start and leaves
            those out, listed in ``bad_images``.
        limit_train: Train on this many samples, chosen at random; None for all.
        limit_eval: The same for each evaluation split.
        mean: Mean of each channel, of pixels in [0, 1], for the model's own normalisation; None for the set's default,
            or ImageNet's, and for their average where the images have another number of channels.
        std: Standard deviation of each channel.

    Raises:
        ValueError: If a setting is not what is listed above.
    """

    task: Task = "classification"
    num_classes: int
    class_names: tuple[str, ...] = ()
    channels: int = 3
    ignore_index: int | None = None
    default_mean: ClassVar[tuple[float, ...] | None] = None
    default_std: ClassVar[tuple[float, ...] | None] = None

    def __init__(
        self,
        *,
        batch_size: int = 128,
        eval_batch_size: int | None = None,
        num_workers: int | Literal["auto"] = "auto",
        seed: int = 0,
        split_seed: int = 0,
        val_fraction: float = 0.1,
        train_transforms: Sequence[Any] | None = None,
        eval_transforms: Sequence[Any] | None = None,
        on_bad_image: Literal["error", "skip"] = "error",
        limit_train: int | None = None,
        limit_eval: int | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("batch_size", batch_size), ("eval_batch_size", eval_batch_size or batch_size)):
            if size < 1:
                raise ValueError(f"expected {name} of at least 1, got {size}; try 128")
        if on_bad_image not in ("error", "skip"):
            raise ValueError(f"expected on_bad_image 'error' or 'skip', got {on_bad_image!r}; try 'error'")
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size or batch_size
        self.num_workers = _worker_count(num_workers)
        self.seed, self.split_seed, self.val_fraction = seed, split_seed, val_fraction
        self.train_transforms, self.eval_transforms = tuple(train_transforms or ()), tuple(eval_transforms or ())
        self.on_bad_image = on_bad_image
        self.limit_train, self.limit_eval = limit_train, limit_eval
        self._mean, self._std = mean, std
        self.bad_images: list[str] = []
        self.train_set: Samples
        self.val_set: Samples | None
        self.test_sets: dict[str, Samples] = {}
        self._ready = False
        self._start = (0, 0)

    @abstractmethod
    def load(self) -> Splits:
        """Return the splits, and set ``task``, ``num_classes``, ``class_names``, ``channels`` and ``ignore_index``."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel, of pixels in [0, 1]."""
        return self._statistic("mean", self._mean, self.default_mean, _IMAGENET_MEAN)

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of each channel, of pixels in [0, 1]."""
        return self._statistic("std", self._std, self.default_std, _IMAGENET_STD)

    @property
    def test_names(self) -> tuple[str, ...]:
        """Names of the test splits, in the order of the loaders in ``test_dataloader()``."""
        return tuple(self.test_sets)

    def setup(self, stage: str | None = None) -> None:
        """Load the splits, once; a new ``fit`` starts at the first batch unless a checkpoint says otherwise."""
        self._check_trainer()
        if stage == "fit":
            self._start = (0, 0)
        if self._ready:
            return
        splits = self.load()
        if self.on_bad_image == "skip":
            splits, self.bad_images = without_unreadable(splits)
        train, val = self._with_validation(splits)
        self.train_set = self._samples(train, self.limit_train, "limit_train", training=True)
        self.val_set = None if val is None else self._samples(val, self.limit_eval, "limit_eval")
        self.test_sets = {
            name: self._samples(test, self.limit_eval, "limit_eval") for name, test in splits.tests.items()
        }
        self._ready = True

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return the loader of shuffled, transformed training batches."""
        rank, world_size = self._process()
        sampler = SeededBatchSampler(
            len(self.train_set),
            self.batch_size,
            seed=self.seed,
            shuffle=not getattr(self.trainer, "overfit_batches", 0),
            rank=rank,
            world_size=world_size,
            start=self._start,
        )
        return self._loader(self.train_set, sampler)

    def val_dataloader(self) -> DataLoader[dict[str, Any]] | list[DataLoader[dict[str, Any]]]:
        """Return the loader of the validation split; an empty list where there is none."""
        return [] if self.val_set is None else self._evaluation_loader(self.val_set)

    def test_dataloader(self) -> list[DataLoader[dict[str, Any]]]:
        """Return one loader for each test split, in the order of ``test_names``."""
        return [self._evaluation_loader(test) for test in self.test_sets.values()]

    def eval_dataloader(self, split: str) -> DataLoader[dict[str, Any]]:
        """Return an evaluation loader of "val" or of a test split.

        Raises:
            ValueError: If there is no such split.
        """
        known = {**({} if self.val_set is None else {"val": self.val_set}), **self.test_sets}
        return self._evaluation_loader(lookup("split", split, known))

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Turn pixels into float32 in [0, 1] and targets into int64, on the device."""
        return to_batch(batch)

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and batch that training goes on with."""
        loop: Any = self.trainer.fit_loop  # type: ignore[union-attr]
        epochs, batch = loop.epoch_progress.current, loop.epoch_loop.batch_progress.current.processed
        if batch >= loop.max_batches:  # before and after Lightning has counted the epoch, ``ready`` is the next one
            return {"epoch": epochs.ready, "batch": 0}
        return {"epoch": epochs.processed, "batch": batch}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Begin the next training loader where the checkpoint was."""
        self._start = (state_dict["epoch"], state_dict["batch"])

    def _statistic(
        self, name: str, given: Sequence[float] | None, default: tuple[float, ...] | None, imagenet: tuple[float, ...]
    ) -> tuple[float, ...]:
        if given is None:
            known = default or imagenet
            given = known if len(known) == self.channels else (sum(known) / len(known),) * self.channels
        if len(given) != self.channels:
            raise ValueError(f"expected {name} of {self.channels} channels, got {len(given)} values; try {name}=null")
        return tuple(float(value) for value in given)

    def _with_validation(self, splits: Splits) -> tuple[Dataset[dict[str, Any]], Dataset[dict[str, Any]] | None]:
        if splits.val is not None:
            return splits.train, splits.val
        count = len(splits.train)  # type: ignore[arg-type]
        train, val = random_split(count, self.val_fraction, self.split_seed, splits.groups)
        return Subset(splits.train, train), Subset(splits.train, val) if val else None

    def _samples(
        self, source: Dataset[dict[str, Any]], limit: int | None, setting: str, *, training: bool = False
    ) -> Samples:
        count = len(source)  # type: ignore[arg-type]
        if count == 0 or (limit is not None and limit < 1):
            raise ValueError(
                f"expected at least one sample in every split, got {count} with {setting}={limit}; try more"
            )
        if limit is not None and limit < count:
            source = Subset(source, sorted(permutation(count, self.split_seed, "limit")[:limit]))
        return Samples(
            source,
            self.train_transforms if training else self.eval_transforms,
            seed=self.seed if training else _EVALUATION_SEED,
            task=self.task,
            num_classes=self.num_classes,
            channels=self.channels,
            ignore_index=self.ignore_index,
        )

    def _evaluation_loader(self, samples: Samples) -> DataLoader[dict[str, Any]]:
        rank, world_size = self._process()
        sampler = EvaluationBatchSampler(len(samples), self.eval_batch_size, rank=rank, world_size=world_size)
        return self._loader(samples, sampler)

    def _loader(self, samples: Samples, sampler: Sampler[list[Key]]) -> DataLoader[dict[str, Any]]:
        return ResumableLoader(
            samples,
            batch_sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=Collate(samples.describe),
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_one_thread,
            persistent_workers=self.num_workers > 0,
            # Without a generator of its own, every new iterator would draw from the global one.
            generator=torch.Generator().manual_seed(mix(self.seed, "loader")),
        )

    def _process(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _check_trainer(self) -> None:
        if self.trainer is None or self.trainer.world_size == 1:
            return
        if self.trainer._accelerator_connector.use_distributed_sampler:
            raise ValueError(
                "expected Trainer(use_distributed_sampler=False), got True; try setting it (the data module "
                "itself shares the samples among the processes)"
            )


def _worker_count(setting: int | Literal["auto"]) -> int:
    if setting == "auto":
        return min(8, (os.cpu_count() or 1) - 1) if torch.cuda.is_available() else 0
    if not isinstance(setting, int) or setting < 0:
        raise ValueError(f"expected num_workers as 'auto' or a number from 0, got {setting!r}; try 'auto'")
    return setting


def _one_thread(worker: int) -> None:
    """Keep OpenCV from starting threads in every loader process."""
    import cv2

    cv2.setNumThreads(0)
