"""Where the pictures of explanations go: files of the run, TensorBoard, and other loggers that take images."""

import re
from pathlib import Path

import pytorch_lightning as pl
from PIL import Image
from pytorch_lightning.loggers import MLFlowLogger, WandbLogger

from robustlit.callbacks.jpeg import add_jpeg
from robustlit.callbacks.pictures import boards
from robustlit.panels.text import Picture

__all__ = ["explanations_folder", "publish"]


def explanations_folder(trainer: pl.Trainer) -> Path:
    """Return the folder of the pictures, in the run's folder; every process has to ask: Lightning makes them agree."""
    return Path(trainer.log_dir or trainer.default_root_dir) / "explanations"


def publish(trainer: pl.Trainer, folder: Path, tag: str, picture: Picture) -> None:
    """Write a picture H×W×3 as a PNG file, and show it in every logger of the Trainer that takes images.

    The file has the latest picture; loggers keep those of every step, which is that of the scalars logged at the same
    moment. To be called in the first process only.

    Args:
        trainer: Whose loggers.
        folder: Where the file goes: ``<folder>/<tag without "explain/">.png``.
        tag: The tag.
        picture: uint8.
    """
    path = folder / f"{_file_name(tag)}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, compress_level=1)  # 6 takes twice as long for a tenth of the size
    step = max(0, trainer.global_step - 1)
    for board in boards(trainer):
        add_jpeg(board.experiment, tag, picture, step)
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(tag, [picture], step=step)
        elif isinstance(logger, MLFlowLogger):
            logger.experiment.log_image(logger.run_id, picture, key=_file_name(tag), step=step)


def _file_name(tag: str) -> str:
    """Return a tag as a path.

    Example:
        >>> _file_name("test/explain/probe"), _file_name("history/0_polar bear")
        ('test/probe', 'history/0_polar_bear')
    """
    plain = "/".join(part for part in tag.split("/") if part != "explain")
    return re.sub(r"[^\w./-]", "_", plain)
