"""The hparams table of TensorBoard, without points of its own in any curve."""

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

from robustlit.cli.build import Parts
from robustlit.cli.config import run_names

__all__ = ["flat_settings", "log_hparams"]

SECTIONS = ("data", "model", "task", "trainer", "augmentation")
LEFT_OUT = ("_target_", "_partial_", "_convert_", "_recursive_", "path", "enable_model_summary", "log_every_n_steps")


def log_hparams(cfg: DictConfig, parts: Parts) -> None:
    """Write the run's row of the hparams table; the headline metric's column reads the curve of that name."""
    headline = getattr(parts.module, "headline", None)
    settings = flat_settings(cfg)
    for logger in parts.trainer.loggers:
        if isinstance(logger, TensorBoardLogger) and parts.trainer.is_global_zero:
            logger.hparams.update(settings)  # for the logger's own hparams.yaml
            writer = logger.experiment._get_file_writer()
            for summary in hparams(  # type: ignore[no-untyped-call]
                settings, {headline: 0} if headline else {}
            ):
                writer.add_summary(summary)
            logger.experiment.flush()


def flat_settings(cfg: DictConfig) -> dict[str, Any]:
    """Return the names and the scalar settings of a run, by the keys that override them on the command line."""
    flat: dict[str, Any] = {key: name for key, name in run_names(cfg).items() if name is not None}
    flat["seed"] = cfg.seed
    for section in SECTIONS:
        flat.update(_scalars(OmegaConf.to_container(cfg[section]), section))
    return flat


def _scalars(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in LEFT_OUT:
                yield from _scalars(value, f"{prefix}.{key}")
    elif isinstance(node, (bool, int, float, str)):
        yield prefix, node
