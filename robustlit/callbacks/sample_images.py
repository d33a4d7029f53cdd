"""What the model says about the same few images, epoch after epoch."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.pictures import add_picture, boards, class_names
from robustlit.callbacks.stopwatch import Stopwatch
from robustlit.core import Adapter, neutral_scope, private
from robustlit.panels.prediction import classification_panel, multilabel_panel, segmentation_panel
from robustlit.panels.text import Picture

__all__ = ["PredictionPanels"]


class PredictionPanels(pl.Callback):
    """Logs one picture of predictions on a few validation images that stay the same over epochs and runs.

    The images are the first of the validation loader; they are kept, so that even a shuffled loader shows the same
    ones. The model is looked at in a neutral scope: training goes on bit-identically to a run without this callback.
    It predicts while validation runs, so with Lightning's weight averaging the picture shows the averaged model. The
    picture goes to every TensorBoardLogger of the Trainer, drawn by the first process.

    ====================================  ==============================================================================
    key                                   meaning
    ====================================  ==============================================================================
    ``val/predictions`` (picture)         true class, predicted class and its probability; for masks image, truth,
                                          prediction and errors
    ``cost/prediction_panels_seconds``    seconds of the epoch spent on it
    ====================================  ==============================================================================

    Args:
        every_n_epochs: Draw after every so many epochs.
        count: Images in the picture, 1…32; of masks the first 8 are shown.
        adapter: How to read the batch and the model's output; by default the module's ``adapter``, else the
            automatic one.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, every_n_epochs: int = 1, count: int = 8, adapter: Adapter | None = None) -> None:
        if every_n_epochs < 1:
            raise ValueError(f"expected every_n_epochs >= 1, got {every_n_epochs}; try 1")
        if not 1 <= count <= 32:
            raise ValueError(f"expected count from 1 to 32, got {count}; try 8")
        self.every_n_epochs = every_n_epochs
        self.count = count
        self.adapter = adapter
        self._images: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._complete = False
        self._due = False
        self._watch = Stopwatch()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the images anew in every fit."""
        self._images, self._targets, self._complete = [], [], False
        if not boards(trainer):
            rank_zero_warn("PredictionPanels draws nothing: the Trainer has no TensorBoardLogger; try logger=True")

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """See whether this validation gets a picture."""
        epoch_due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        fitting = trainer.state.fn == "fit" and not trainer.sanity_checking
        self._due = fitting and epoch_due and trainer.is_global_zero and bool(boards(trainer))

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect the images in the first validation; draw as soon as they are there."""
        if not self._due or dataloader_idx != 0:
            return
        with self._watch.running(pl_module.device):
            if not self._complete:
                self._collect(self.adapter or Adapter.for_module(pl_module), batch)
                self._complete = self._held() >= self.count or batch_idx + 1 == trainer.num_val_batches[0]
            if self._complete:
                self._due = False
                add_picture(trainer, "val/predictions", self._draw(trainer, pl_module))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what it cost."""
        if not trainer.sanity_checking:
            log_cost(pl_module, "prediction_panels_seconds", self._watch.read())

    def _held(self) -> int:
        return sum(len(images) for images in self._images)

    def _collect(self, adapter: Adapter, batch: Any) -> None:
        missing = self.count - self._held()
        with torch.inference_mode(False):
            self._images.append(private(adapter.images(batch)[:missing]))
            self._targets.append(private(adapter.targets(batch)[:missing]))

    def _draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> Picture:
        adapter = self.adapter or Adapter.for_module(pl_module)
        with neutral_scope(pl_module):
            images, targets = torch.cat(self._images), torch.cat(self._targets)
            logits = adapter.predict(pl_module, images)
        names = class_names(trainer, pl_module)
        title = f"epoch {trainer.current_epoch} · validation · {len(images)} images"
        task = adapter.task_of(targets, logits)
        if task == "classification":
            return classification_panel(images, targets, logits, names, title)
        if task == "multilabel":
            return multilabel_panel(images, targets, logits, names, title)
        return segmentation_panel(images, targets, logits, names, adapter.ignore_index, title)
