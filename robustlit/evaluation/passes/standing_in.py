"""Another module's turn in a Trainer's test loop, on splits that the data module does not have."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl

from robustlit.data.base import VisionDataModule

__all__ = ["stand_in"]


def stand_in(
    scorer: pl.LightningModule,
    splits: Mapping[str, Any],
    module: pl.LightningModule,
    datamodule: VisionDataModule,
    trainer: pl.Trainer,
) -> None:
    """Run ``trainer.test`` with a module that looks at the tested one, by the loaders of a data module.

    Args:
        scorer: What runs in the loop; it holds ``module``.
        splits: What the loaders read: items as those of a data module's splits.
        module: The tested module; it and the data module keep their own Trainer and splits.
        datamodule: Whose batch size and workers are used.
        trainer: Moves the batches; of its callbacks only the progress bars see this pass.
    """
    callbacks, own = list(trainer.callbacks), datamodule.test_sets  # type: ignore[attr-defined]
    trainer.callbacks = [each for each in callbacks if isinstance(each, pl.callbacks.ProgressBar)]  # type: ignore[attr-defined]
    datamodule.test_sets = dict(splits)
    before = module._trainer
    try:
        trainer.test(scorer, datamodule=datamodule, verbose=False)
    finally:
        trainer.callbacks, datamodule.test_sets, module._trainer = callbacks, own, before  # type: ignore[attr-defined]
