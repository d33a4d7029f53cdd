"""The hparams table of TensorBoard, without points of its own in any curve."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

from robustlit.callbacks import AdversarialEvaluation
from robustlit.cli.build import Parts
from robustlit.cli.config import run_names
from robustlit.reports.sweep_jobs import EXTRA, SWEEP_FILE, read_object

__all__ = ["compared_metrics", "flat_settings", "log_hparams", "shown_settings"]

SECTIONS = ("data", "model", "task", "trainer", "augmentation")
LEFT_OUT = ("_target_", "_partial_", "_convert_", "_recursive_", "path", "enable_model_summary", "log_every_n_steps")


def log_hparams(cfg: DictConfig, parts: Parts) -> None:
    """Write the run's row of the hparams table; a metric's column reads the last value of the curve of that name.

    TensorBoard takes the columns of the whole table from one run, whichever it finds first. So the runs of a sweep all
    name the same ones.
    """
    settings = flat_settings(cfg)
    metrics = dict.fromkeys(compared_metrics(parts), 0)
    for logger in parts.trainer.loggers:
        if isinstance(logger, TensorBoardLogger) and parts.trainer.is_global_zero:
            logger.hparams.update(settings)  # for the logger's own hparams.yaml
            writer = logger.experiment._get_file_writer()
            shown = shown_settings(settings, cfg, Path(parts.trainer.default_root_dir))
            columns, *_ = hparams(shown, metrics)  # type: ignore[no-untyped-call]
            _, *row = hparams({**settings, **shown}, metrics)  # type: ignore[no-untyped-call]
            for summary in (columns, *row):
                writer.add_summary(summary)
            logger.experiment.flush()


def compared_metrics(parts: Parts) -> list[str]:
    """Return the keys that runs are compared by: the task's own, under corruption, under each attack."""
    headline = getattr(parts.module, "headline", None)
    watchers = [each for each in parts.trainer.callbacks if isinstance(each, AdversarialEvaluation)]  # type: ignore[attr-defined]
    attacked = [f"robust/adversarial/{name}" for watcher in watchers for name in watcher.attacks]
    return [*([headline] if headline else []), EXTRA, "robust/corruption/mean", *attacked]


def shown_settings(settings: dict[str, Any], cfg: DictConfig, folder: Path) -> dict[str, Any]:
    """Return the settings that get a column: in a sweep those that differ between its jobs, else all of them.

    Args:
        settings: All of them, flat.
        cfg: The configuration.
        folder: The run folder.
    """
    differ = read_object(folder.parent / SWEEP_FILE).get("differ")
    if not differ:
        return settings
    keys = list(dict.fromkeys([*differ, "augmentation", "seed"]))
    values = {key: settings.get(key, OmegaConf.select(cfg, key)) for key in keys}
    return {key: value if isinstance(value, (bool, int, float, str)) else str(value) for key, value in values.items()}


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
