"""What the network is fed."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from robustlit.callbacks.pictures import add_picture
from robustlit.core import Adapter
from robustlit.panels.grid import grid, titled, to_pictures

__all__ = ["TrainingImages"]


class TrainingImages(pl.Callback):
    """Logs the first training images once, as the module's ``forward`` gets them: after every augmentation and attack.

    Normalisation that the adapter knows of is undone. A module whose training step does not call ``self(images)``, and
    a Trainer without TensorBoardLogger, get no picture.

    ===========================  ===================================================
    key                          meaning
    ===========================  ===================================================
    ``train/images`` (picture)   images of the first batch of the first epoch
    ===========================  ===================================================

    Args:
        count: Images in the picture, 1…32.
        adapter: How the images are normalised; by default as the module's ``adapter`` says, else not at all.

    Raises:
        ValueError: If ``count`` is out of range.
    """

    def __init__(self, count: int = 8, adapter: Adapter | None = None) -> None:
        if not 1 <= count <= 32:
            raise ValueError(f"expected count from 1 to 32, got {count}; try 8")
        self.count = count
        self.adapter = adapter
        self._images: Tensor | None = None
        self._handle: RemovableHandle | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Listen to the module during the very first step."""
        if batch_idx == 0 and trainer.current_epoch == 0 and trainer.is_global_zero:
            self._handle = pl_module.register_forward_pre_hook(self._keep)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw what was heard."""
        self._stop_listening()
        if self._images is not None:
            adapter = self.adapter or Adapter.for_module(pl_module)
            pictures = to_pictures(adapter.to_pixels(self._images))
            title = f"first training batch, as the network sees it · {len(pictures)} images"
            add_picture(trainer, "train/images", titled(title, grid(pictures, 4)))
            self._images = None

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave nothing on the module."""
        self._stop_listening()

    def _keep(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        images = inputs[0] if inputs else None
        # the last call counts: an attack calls the model on its way to the images of the step
        if module.training and isinstance(images, Tensor) and images.ndim == 4:
            self._images = images[: self.count].detach().clone()

    def _stop_listening(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
