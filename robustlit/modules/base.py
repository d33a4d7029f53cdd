"""What the classification and the segmentation module share: normalisation, steps, logging, optimizer, schedule."""

import functools
import inspect
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torchmetrics import Metric, MetricCollection

from robustlit.core import Adapter
from robustlit.metrics import Mean

__all__ = ["OptimizerFactory", "ScheduleFactory", "VisionModule"]

OptimizerFactory = Callable[..., Optimizer]
ScheduleFactory = Callable[..., Any]

_CHECK_EVERY = 50  # steps between looks at the loss on a GPU, each of which waits for it
_MEANS = "robustlit_train_means"  # the running means of an interrupted epoch, in a checkpoint


class VisionModule(pl.LightningModule):
    """Base of robustlit's modules: ``forward`` takes pixels in [0, 1], normalises, and returns logits.

    A subclass says how the loss, the share of hits and the scores of its task are computed.

    ====================  =====================================================================
    key                   what
    ====================  =====================================================================
    ``train/loss``        mean over the epoch's samples (``train/loss_step``: of one batch)
    ``train/accuracy``    mean over the epoch, while the weights change
    ``val/<score>``       ``loss`` and the subclass's scores; ``val/<i>/<score>`` for more loaders
    ``test/<split>/…``    the same for every test split, by the data module's ``test_names``
    ====================  =====================================================================

    Args:
        network: Normalised images N×C×H×W to logits.
        num_classes: Number of logits K the network has.
        class_names: One name a class; ``"0"``, ``"1"`` … by default.
        mean: Channel means in pixels; ``None`` with ``std`` leaves the pixels as they are.
        std: Channel standard deviations, likewise.
        optimizer: A function of the parameters; AdamW with a learning rate of 0.001 by default.
        schedule: A function of the optimizer; one with an argument ``total_steps`` gets the length of the training and
            is stepped every batch, any other every epoch. A constant rate by default.
        decay_all: Whether biases and normalisation layers get the optimizer's weight decay too.
        channels_last: Whether the network's weights and maps lie in memory with the channels last, which makes
            convolutions faster; not for a network that calls ``view`` on its maps.

    Raises:
        ValueError: If ``class_names``, ``mean`` or ``std`` have the wrong length.
    """

    headline: str
    mean: Tensor | None
    std: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        *,
        num_classes: int,
        class_names: Sequence[str] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        optimizer: OptimizerFactory | None = None,
        schedule: ScheduleFactory | None = None,
        decay_all: bool = True,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last) if channels_last else network
        self.channels_last = channels_last
        self.num_classes = num_classes
        self.class_names = tuple(class_names or (str(index) for index in range(max(num_classes, 2))))
        if len(self.class_names) != max(num_classes, 2):
            raise ValueError(
                f"expected {num_classes} class names, got {len(self.class_names)}; try one name for every class"
            )
        if (mean is None) != (std is None) or len(mean or ()) != len(std or ()):
            raise ValueError(
                f"expected mean and std of the same length, got {mean} and {std}; try one number a channel"
            )
        self.register_buffer("mean", None if mean is None else torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", None if std is None else torch.tensor(std).view(-1, 1, 1))
        convolutions = (module for module in network.modules() if isinstance(module, nn.Conv2d))
        self.in_channels = next((module.in_channels for module in convolutions), None)
        self.decay_all = decay_all
        self._optimizer = optimizer or functools.partial(AdamW, lr=1e-3)
        self._schedule = schedule
        self.train_loss, self.train_accuracy = Mean(), Mean()
        self._losses: list[Mean] = []
        self._scores: list[Metric | MetricCollection] = []

    @property
    @abstractmethod
    def adapter(self) -> Adapter:
        """How callbacks read this module's batches."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor, *, training: bool = False) -> Tensor:
        """Return the mean loss of a batch, a float32 scalar; label smoothing is for training only."""

    @abstractmethod
    def accuracy(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        """Return the share of hits of a training batch, and what it counts: samples, or valid pixels."""

    @abstractmethod
    def new_scores(self) -> Metric | MetricCollection:
        """Return the scores of one evaluation split; ``compute`` gives a dict."""

    @abstractmethod
    def update_scores(self, scores: Any, logits: Tensor, targets: Tensor) -> None:
        """Count a batch in what :meth:`new_scores` returned."""

    @abstractmethod
    def check_targets(self, targets: Tensor) -> None:
        """Raise ValueError where targets do not fit the number of classes."""

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of images N×C×H×W in [0, 1].

        Raises:
            ValueError: If the number of channels is not the network's.
        """
        channels = images.shape[1]
        if self.in_channels not in (None, channels):
            raise ValueError(
                f"expected images with {self.in_channels} channels, got {channels}; try model.in_channels={channels}"
            )
        if self.mean is not None and self.std is not None:
            images = (images - self.mean) / self.std
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return cast(Tensor, self.network(images))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        logits, targets = self._run(batch, batch_idx)
        loss = self.loss(logits, targets, training=True)
        if batch_idx == 0:  # not in on_train_epoch_start, which a resumed epoch goes through again only at times
            self.train_loss.reset()
            self.train_accuracy.reset()
        with torch.no_grad():
            self.train_loss.update(loss.detach(), len(targets))
            self.train_accuracy.update(*self.accuracy(logits.detach(), targets))
        self.log("train/loss_step", loss.detach(), on_step=True, on_epoch=False, prog_bar=True, batch_size=len(targets))
        if loss.device.type == "cpu" or batch_idx % _CHECK_EVERY == 0 or self.trainer.is_last_batch:
            self._check_finite()
        return loss

    def on_train_epoch_end(self) -> None:
        """Log the epoch's means."""
        self._log({"train/loss": self.train_loss.compute(), "train/accuracy": self.train_accuracy.compute()})

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Count a batch in the scores of its loader."""
        self._evaluate(batch, batch_idx, dataloader_idx)

    def test_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Count a batch in the scores of its split."""
        self._evaluate(batch, batch_idx, dataloader_idx)

    def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Tensor:
        """Return probabilities: N×K, or N×K×H×W."""
        return self.probabilities(self(self.adapter.images(batch)))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return float32 probabilities of logits."""
        return logits.float().softmax(1)

    def on_validation_epoch_start(self) -> None:
        """Start the scores of every loader."""
        self._start(len(self.trainer.num_val_batches))

    def on_test_epoch_start(self) -> None:
        """Start the scores of every split."""
        self._start(len(self.trainer.num_test_batches))

    def on_validation_epoch_end(self) -> None:
        """Log the scores."""
        self._finish(["val", *(f"val/{index}" for index in range(1, len(self._scores)))])

    def on_test_epoch_end(self) -> None:
        """Log the scores of every split under its name."""
        names = tuple(getattr(getattr(self.trainer, "datamodule", None), "test_names", ()))
        if len(names) != len(self._scores):
            names = tuple(str(index) for index in range(len(self._scores)))
        self._finish([f"test/{name}" for name in names])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer and, where there is one, the schedule.

        Raises:
            ValueError: If the schedule needs the length of a training that has no end.
        """
        optimizer = self._optimizer(self._parameter_groups())
        if self._schedule is None:
            return optimizer
        steps = inspect.signature(self._schedule).parameters.get("total_steps")
        missing = steps is not None and steps.default in (None, inspect.Parameter.empty)
        schedule = self._schedule(optimizer, **({"total_steps": self._total_steps()} if missing else {}))
        interval = "epoch" if steps is None else "step"
        return cast(
            OptimizerLRScheduler,
            {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": schedule, "interval": interval, "monitor": "val/loss"},
            },
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the means of an epoch that a kill may interrupt, and never a model whose loss is not finite.

        Under DDP the means are those of the first process.
        """
        self._check_finite()
        means = (self.train_loss, self.train_accuracy)
        checkpoint[_MEANS] = [(mean.total.clone(), mean.weight.clone()) for mean in means]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the means of the interrupted epoch."""
        for mean, (total, weight) in zip(
            (self.train_loss, self.train_accuracy), checkpoint.get(_MEANS, ()), strict=False
        ):
            mean.total, mean.weight = total.to(self.device), weight.to(self.device)
            mean._update_count = 1  # else torchmetrics warns of a mean without values

    def _run(self, batch: Any, batch_idx: int) -> tuple[Tensor, Tensor]:
        targets = self.adapter.targets(batch)
        if targets.device.type == "cpu" or batch_idx == 0:  # on a GPU the look at the values would stall every step
            try:
                self.check_targets(targets)
            except ValueError as error:
                raise ValueError(f"{error} (batch {batch_idx})") from None
        return self(self.adapter.images(batch)), targets

    def _evaluate(self, batch: Any, batch_idx: int, loader: int) -> None:
        logits, targets = self._run(batch, batch_idx)
        self._losses[loader].update(self.loss(logits, targets), len(targets))
        self.update_scores(self._scores[loader], logits, targets)

    def _start(self, loaders: int) -> None:
        self._losses = [Mean().to(self.device) for _ in range(loaders)]
        self._scores = [self.new_scores().to(self.device) for _ in range(loaders)]

    def _finish(self, prefixes: Sequence[str]) -> None:
        for prefix, loss, scores in zip(prefixes, self._losses, self._scores, strict=True):
            self._log({f"{prefix}/loss": loss.compute()})
            self._log({f"{prefix}/{name}": value for name, value in scores.compute().items()})
        self._losses, self._scores = [], []

    def _log(self, values: dict[str, Tensor]) -> None:
        # every process has computed the same values; sync_dist only says so to Lightning
        for name, value in values.items():
            self.log(name, value, prog_bar=name == self.headline, sync_dist=True, batch_size=1)

    def _check_finite(self) -> None:
        if not torch.isfinite(self.train_loss.total):
            raise ValueError(
                f"expected a finite loss, got {self.train_loss.total.item()} by epoch {self.current_epoch}, "
                f"step {self.global_step}; try a lower task.optimizer.lr or trainer.gradient_clip_val=1"
            )

    def _total_steps(self) -> int:
        steps = self.trainer.estimated_stepping_batches
        if not math.isfinite(steps):
            raise ValueError("expected a training with an end for the schedule, got none; try trainer.max_epochs=30")
        return int(steps)

    def _parameter_groups(self) -> list[Any]:
        parameters = [parameter for parameter in self.parameters() if parameter.requires_grad]
        if self.decay_all:
            return parameters
        return [
            {"params": [parameter for parameter in parameters if parameter.ndim > 1]},
            {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
        ]
