"""Which classes the model takes for which."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from robustlit.callbacks.pictures import add_picture, class_names
from robustlit.core import Adapter
from robustlit.panels.confusion import confusion_panel

__all__ = ["ConfusionPanel"]


class ConfusionPanel(pl.Callback):
    """Logs the confusion matrix of every validation of a classifier, from the logits that validation computes anyway.

    It listens to the module's ``forward``. Multi-label and segmentation modules, and those whose validation step does
    not call ``self(images)``, get no picture.

    ============================  ==========================================================================
    key                           meaning
    ============================  ==========================================================================
    ``val/confusion`` (picture)   rows are true classes, columns predicted ones, in percent of the true class
    ============================  ==========================================================================
    """

    def __init__(self) -> None:
        self._counts: Tensor | None = None
        self._output: Any = None
        self._handle: RemovableHandle | None = None

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to the module."""
        self._counts = None
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._handle = pl_module.register_forward_hook(self._keep)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Forget what was heard between the batches."""
        self._output = None

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count this batch."""
        if self._output is None or dataloader_idx != 0:
            return
        adapter = Adapter.for_module(pl_module)
        logits, targets = adapter.logits_of(self._output), adapter.targets(batch)
        self._output = None
        if targets.ndim == 1 and logits.ndim == 2 and len(logits) == len(targets):
            classes = logits.shape[1]
            pairs = torch.bincount(targets * classes + logits.argmax(1), minlength=classes**2).view(classes, classes)
            self._counts = pairs if self._counts is None else self._counts + pairs

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the counts of all processes."""
        self._stop_listening()
        if self._counts is not None:
            counts = trainer.strategy.reduce(self._counts, reduce_op="sum")
            title = f"epoch {trainer.current_epoch} · validation · n = {int(counts.sum()):,}"
            add_picture(trainer, "val/confusion", confusion_panel(counts, class_names(trainer, pl_module), title))

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave nothing on the module."""
        self._stop_listening()

    def _keep(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        # the first call of a batch is the validation step's; other callbacks look at the model after it
        self._output = output if self._output is None else self._output

    def _stop_listening(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
