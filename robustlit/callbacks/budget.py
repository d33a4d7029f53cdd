"""What callbacks share that look again at some of the evaluation images: when, at which, and what it costs."""

from abc import abstractmethod
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import WeightAveraging

from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.stopwatch import Stopwatch
from robustlit.core import Adapter
from robustlit.evaluation.passes.gathering import Chunk, Gathering
from robustlit.evaluation.passes.looking import first_loader, share_of
from robustlit.evaluation.passes.selection import Selection

__all__ = ["BudgetedEvaluation"]


class BudgetedEvaluation(pl.Callback):
    """Base of the callbacks that evaluate robustness on batches that validation or test has on the device anyway.

    It chooses the same images every time, gathers them until a batch is full, and hands the batches to ``look`` in one
    pass over the data; the sanity check is left out. Of several loaders the first is used. Subclasses write ``begin``,
    ``look`` and ``finish``.

    Args:
        images: How many images of the loader, chosen by a hash of their index; None for all.
        every_n_epochs: In fit, evaluate after every so many epochs.
        batch_size: Images a forward; None for as many as the loader's batches have.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        ValueError: If a number is not positive.
    """

    cost_key: str

    def __init__(
        self,
        images: int | None = 256,
        every_n_epochs: int = 1,
        batch_size: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        for name, value in (("every_n_epochs", every_n_epochs), ("batch_size", batch_size)):
            if value is not None and value < 1:
                raise ValueError(f"expected {name} of at least 1, got {value}; try 1")
        self.every_n_epochs = every_n_epochs
        self.batch_size = batch_size
        self.adapter = adapter
        self.selection = Selection(images)
        self._gathering: Gathering | None = None
        self._watch = Stopwatch()

    @abstractmethod
    def begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start an evaluation."""

    @abstractmethod
    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        """Evaluate one batch of chosen images."""

    @abstractmethod
    def finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End an evaluation: every process is here, whether or not it had images; log."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuse weight averaging that takes its weights away before the last images are looked at.

        Raises:
            ValueError: If it stands before this callback.
        """
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        earlier = callbacks[: callbacks.index(self)] if self in callbacks else []
        averaging = next((each for each in earlier if isinstance(each, WeightAveraging)), None)
        if averaging is not None:
            raise ValueError(
                f"expected {type(averaging).__name__} after {type(self).__name__} in the callbacks, got it before; "
                "try putting it last, so that all images meet the averaged weights"
            )

    def adapter_of(self, pl_module: pl.LightningModule) -> Adapter:
        """Return how this module's batches are read."""
        return self.adapter or Adapter.for_module(pl_module)

    def images_here(self, trainer: pl.Trainer) -> int | None:
        """Return about how many images this process will look at; None where that cannot be known."""
        expected = self.selection.expected
        return None if expected is None else -(-expected // trainer.world_size)

    def prefix(self, trainer: pl.Trainer) -> str:
        """Return what keys begin with: figures of the test split are not to continue the validation's curves."""
        return "test/" if trainer.testing else ""

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin, if this validation is to be evaluated."""
        turn = trainer.state.fn != "fit" or (trainer.current_epoch + 1) % self.every_n_epochs == 0
        self._gathering = None
        if turn and not trainer.sanity_checking:
            self._begin(trainer, pl_module, trainer.val_dataloaders, trainer.num_val_batches)

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        self._begin(trainer, pl_module, trainer.test_dataloaders, trainer.num_test_batches)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Gather the chosen images, and look at them when a batch is full."""
        if self._gathering is not None and dataloader_idx == 0:
            with self._watch.running(pl_module.device):
                for chunk in self._gathering.add(batch):
                    self.look(trainer, pl_module, chunk)

    def on_test_batch_end(self, *args: Any, **kwargs: Any) -> None:
        """Do as in validation."""
        self.on_validation_batch_end(*args, **kwargs)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at what is left, and log."""
        if self._gathering is None:
            return
        with self._watch.running(pl_module.device):
            for chunk in self._gathering.rest():
                self.look(trainer, pl_module, chunk)
            self.finish(trainer, pl_module)
        self._gathering = None
        log_cost(pl_module, self.cost_key, self._watch.read())

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do as in validation."""
        self.on_validation_epoch_end(trainer, pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Let go of the images."""
        self._gathering = None

    def _begin(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loaders: Any, batches: list[int | float]
    ) -> None:
        loader = first_loader(loaders)
        self._gathering = Gathering(
            self.selection, self.adapter_of(pl_module), loader, self.batch_size, share_of(loader, batches[0])
        )
        self.begin(trainer, pl_module)
