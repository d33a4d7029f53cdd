"""One pass over a split: one forward an image, whatever the module's own test step does."""

from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from robustlit.core import Adapter
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.passes.gathering import Gathering
from robustlit.evaluation.passes.looking import first_loader
from robustlit.evaluation.passes.selection import Selection
from robustlit.evaluation.passes.standing_in import stand_in
from robustlit.evaluation.passes.visiting import Visitor

if TYPE_CHECKING:
    from robustlit.data.samples import Samples

__all__ = ["LogitPass"]


class LogitPass(pl.LightningModule):
    """Takes visitors through splits of a data module, or through others that its loaders can read.

    Args:
        module: The module that is looked at; left as it was.
        datamodule: Whose batch size and workers are used.
        trainer: Moves the batches and sets the precision.
        images: How many images of a split, chosen by a hash of their index; None for all.
    """

    def __init__(
        self, module: pl.LightningModule, datamodule: VisionDataModule, trainer: pl.Trainer, images: int | None = None
    ) -> None:
        super().__init__()
        self.module = module
        self.adapter = Adapter.for_module(module)
        self.images = images
        self._around = (datamodule, trainer)

    def visit(self, visitor: Visitor, name: str, split: "Samples") -> None:
        """Take a visitor through one split."""
        datamodule, trainer = self._around
        self.visitor, self.selection = visitor, Selection(self.images)
        stand_in(self, {name: split}, self.module, datamodule, trainer)

    def on_test_epoch_start(self) -> None:
        """Begin."""
        self.gathering = Gathering(self.selection, self.adapter, first_loader(self.trainer.test_dataloaders))

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Look at the chosen images of a batch."""
        for chunk in self.gathering.add(batch):
            self.visitor.look(self.trainer, self.module, self.adapter, chunk)

    def on_test_epoch_end(self) -> None:
        """Look at what is left, and end."""
        for chunk in self.gathering.rest():
            self.visitor.look(self.trainer, self.module, self.adapter, chunk)
        self.visitor.finish(self.trainer, self.module, self.adapter)
