"""The picture of what the augmentations do: the same few training images, epoch after epoch."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.augmentations import AugmentationOp
from robustlit.callbacks.augmentation_chain import Changed, find_targets, run_chain
from robustlit.callbacks.pictures import add_picture, boards
from robustlit.core import Adapter, private
from robustlit.core.random import sample_seeds
from robustlit.panels.augmentation import augmentation_panel

__all__ = ["AugmentationPictures"]

_TAG = "train/augmentation"
_PARTNERS = 8  # images kept at least, so that operations that mix a batch find partners


class AugmentationPictures:
    """Keeps the first images of the first batch, and draws what an epoch's draws make of them.

    Args:
        rows: Images in the picture; 0 for no picture.
        every_n_epochs: Draw in every so many epochs, from the first on.
    """

    def __init__(self, rows: int, every_n_epochs: int) -> None:
        self.rows, self.every_n_epochs = rows, every_n_epochs
        self._kept: tuple[Tensor, Tensor | None, Tensor] | None = None
        self._drawn_in = -1

    def forget(self) -> None:
        """Choose images anew, for another fit."""
        self._kept, self._drawn_in = None, -1

    def is_due(self, trainer: pl.Trainer) -> bool:
        """Whether this epoch is to have a picture and has none yet."""
        epoch = trainer.current_epoch
        wanted = self.rows > 0 and epoch % self.every_n_epochs == 0 and epoch != self._drawn_in
        return wanted and trainer.is_global_zero and bool(boards(trainer))

    def keep(self, adapter: Adapter, batch: Any) -> None:
        """Keep the first images of a batch as the loader gave it, unless there are some already."""
        if self._kept is None:
            count = max(self.rows, _PARTNERS)
            targets = find_targets(adapter, batch)
            self._kept = (
                private(adapter.images(batch)[:count]),
                None if targets is None else private(targets[:count]),
                adapter.indices(batch)[:count].clone(),
            )

    def draw(
        self,
        trainer: pl.Trainer,
        operations: Mapping[str, AugmentationOp],
        seed: int,
        num_classes: int | None,
    ) -> None:
        """Draw the picture of an epoch, from what :meth:`keep` kept.

        Args:
            trainer: Its loggers get the picture.
            operations: In their order.
            seed: Of the epoch, from which the samples' seeds are.
            num_classes: How many classes there are, where labels may become soft.
        """
        if self._kept is None:
            return
        self._drawn_in = trainer.current_epoch
        images, targets, indices = self._kept
        with torch.no_grad():
            changed = run_chain(operations, images, targets, sample_seeds(seed, indices), num_classes)
        masks = None
        if targets is not None and targets.ndim > 2 and changed.targets is not None:
            masks = _flat(targets[: self.rows]), _flat(changed.targets[: self.rows])
        rows = min(self.rows, len(images))
        title = f"epoch {trainer.current_epoch} · {' + '.join(operations)}"
        captions = [_lines(changed, row) for row in range(rows)]
        add_picture(trainer, _TAG, augmentation_panel(images[:rows], changed.images[:rows], captions, title, masks))


def _lines(changed: Changed, row: int) -> list[str]:
    return [f"{name}: {operation.caption(params, row)}" for name, operation, params in changed.drawn]


def _flat(masks: Tensor) -> Tensor:
    return masks.reshape(len(masks), *masks.shape[-2:])
