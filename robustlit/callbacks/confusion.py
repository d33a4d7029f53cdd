"""Which classes the model takes for which."""

from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from robustlit.callbacks.pictures import add_picture, boards, class_names
from robustlit.core import Adapter
from robustlit.panels.confusion import confusion_panel

__all__ = ["ConfusionPanel"]


class ConfusionPanel(pl.Callback):
    """Logs the confusion matrix of every validation of a classifier, from the logits that validation computes anyway.

    It listens to the module's ``forward``. Multi-label and segmentation modules, and those whose validation step does
    not call ``self(images)``, get no picture. Without a TensorBoardLogger it does nothing.

    ============================  ==========================================================================
    key                           meaning
    ============================  ==========================================================================
    ``val/confusion`` (picture)   rows are true classes, columns predicted ones, in percent of the true class
    ============================  ==========================================================================

    Args:
        adapter: How to read the batch and the model's output; by default the module's ``adapter``, else the
            automatic one.
    """

    def __init__(self, adapter: Adapter | None = None) -> None:
        self.adapter = adapter
        self._counts: Tensor | None = None
        self._output: Any = None
        self._handle: RemovableHandle | None = None

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to the module."""
        self._counts = None
        if trainer.state.fn == "fit" and not trainer.sanity_checking and boards(trainer):
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
        adapter = self.adapter or Adapter.for_module(pl_module)
        logits, targets = adapter.logits_of(self._output), adapter.targets(batch)
        self._output = None
        if targets.ndim == 1 and logits.ndim == 2 and len(logits) == len(targets):
            classes = logits.shape[1]
            pairs = torch.bincount(targets * classes + logits.argmax(1), minlength=classes**2).view(classes, classes)
            self._counts = pairs if self._counts is None else self._counts + pairs

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the counts of all processes."""
        if self._handle is None:
            return
        self._stop_listening()
        counts = self._total(trainer, pl_module.device)
        if counts is not None and trainer.is_global_zero:
            title = f"epoch {trainer.current_epoch} · validation · n = {int(counts.sum()):,}"
            add_picture(trainer, "val/confusion", confusion_panel(counts, class_names(trainer, pl_module), title))

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave nothing on the module."""
        self._stop_listening()

    def _keep(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        # the first call of a batch is the validation step's; other callbacks look at the model after it
        self._output = output if self._output is None else self._output

    def _total(self, trainer: pl.Trainer, device: torch.device) -> Tensor | None:
        """Add up the processes; one that had no batches takes part with zeros, of a size that the others tell it."""
        own = 0 if self._counts is None else len(self._counts)
        classes = int(trainer.strategy.reduce(torch.tensor(own, device=device), reduce_op="max"))
        if classes == 0:
            return None
        if self._counts is None:
            self._counts = torch.zeros(classes, classes, dtype=torch.int64, device=device)
        return cast(Tensor, trainer.strategy.reduce(self._counts, reduce_op="sum"))

    def _stop_listening(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
