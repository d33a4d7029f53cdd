"""Where pictures go, and what classes are called."""

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from robustlit.panels.text import Picture

__all__ = ["add_picture", "boards", "class_names"]


def boards(trainer: pl.Trainer) -> list[TensorBoardLogger]:
    """Return the Trainer's TensorBoardLoggers."""
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def add_picture(trainer: pl.Trainer, tag: str, picture: Picture) -> None:
    """Show a picture H×W×3 under a tag; only the first process writes.

    The step is that of the scalars Lightning logs at the same moment: the last one taken, counted from zero. A picture
    one step later would be hidden by a resume, which drops whatever follows the checkpoint's step.
    """
    step = max(0, trainer.global_step - 1)
    for logger in boards(trainer) if trainer.is_global_zero else []:
        logger.experiment.add_image(tag, picture, step, dataformats="HWC")


def class_names(trainer: pl.Trainer, pl_module: pl.LightningModule) -> tuple[str, ...] | None:
    """Return the names that the data module or else the module gives the classes; None where neither does."""
    for owner in (getattr(trainer, "datamodule", None), pl_module):
        names = getattr(owner, "class_names", None)
        if names:
            return tuple(names)
    return None
