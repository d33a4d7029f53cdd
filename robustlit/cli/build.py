"""From a composed configuration to objects: data module, module, callbacks, loggers, Trainer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from robustlit.cli.errors import UserError, blame
from robustlit.cli.evaluation_progress import NamedBar
from robustlit.data.base import VisionDataModule
from robustlit.models.wrapped import as_network

__all__ = ["Parts", "build_data", "build_evaluations", "build_module", "build_parts", "build_tester", "build_trainer"]


@dataclass(frozen=True)
class Parts:
    """Everything a training run is made of."""

    data: VisionDataModule
    module: pl.LightningModule
    trainer: pl.Trainer


def build_parts(
    cfg: DictConfig, folder: Path, first_step: int | None = None, callbacks: Sequence[pl.Callback] = ()
) -> Parts:
    """Build a run, and fill the nulls of ``cfg`` in place with what the data and the module say.

    Args:
        cfg: The resolved configuration.
        folder: The run folder.
        first_step: Where a resumed run goes on; None for a new one.
        callbacks: Goes before those of the configuration.
    """
    data = build_data(cfg)
    module = build_module(cfg, data)
    for node in cfg.callbacks.values():
        _fill(node, {"monitor": getattr(module, "headline", None)})
    callbacks = [*callbacks, *_instances(cfg.callbacks, "callbacks", {})]
    loggers = _instances(cfg.logger, "logger", {"save_dir": str(folder), "purge_step": first_step})
    shows_progress = any(isinstance(callback, pl.callbacks.ProgressBar) for callback in callbacks)
    trainer = build_trainer(
        cfg,
        callbacks=callbacks,
        logger=loggers,
        default_root_dir=str(folder),
        enable_progress_bar=shows_progress,  # callbacks.progress=null is to mean none, not Lightning's own
    )
    return Parts(data, module, trainer)


def build_data(cfg: DictConfig) -> VisionDataModule:
    """Build the data module and load its splits."""
    with blame("data"):
        data: VisionDataModule = instantiate(cfg.data, _convert_="all")
        data.prepare_data()
        data.setup("fit")
    return data


def build_module(cfg: DictConfig, data: VisionDataModule) -> pl.LightningModule:
    """Build the network and the LightningModule around it, with shapes and names taken from the data."""
    _check_task(cfg, data)
    with blame("data"):
        known = {
            "num_classes": data.num_classes,
            "class_names": list(data.class_names),
            "ignore_index": data.ignore_index,
            "mean": list(data.mean),
            "std": list(data.std),
        }
    _fill(cfg.model, {"in_channels": data.channels, "num_classes": data.num_classes})
    _fill(cfg.task, known)
    with blame("model"):
        network = as_network(instantiate(cfg.model, _convert_="all"))
    with blame("task"):
        module: pl.LightningModule = instantiate(cfg.task, network, _convert_="all")
    return module


def build_trainer(cfg: DictConfig, **extra: Any) -> pl.Trainer:
    """Build the Trainer; ``precision: auto`` becomes what the machine does well."""
    if cfg.trainer.get("precision") == "auto":
        cfg.trainer.precision = _best_precision(cfg.trainer.accelerator)
    with blame("trainer"):
        trainer: pl.Trainer = instantiate(cfg.trainer, _convert_="all", **extra)
    return trainer


def build_tester(cfg: DictConfig, folder: Path) -> pl.Trainer:
    """Build a Trainer that only tests."""
    bars = [NamedBar()] if cfg.trainer.get("enable_progress_bar", True) else []
    return build_trainer(cfg, callbacks=bars, logger=False, enable_checkpointing=False, default_root_dir=str(folder))


def build_evaluations(cfg: DictConfig) -> list[Any]:
    """Build the tests that the ``evaluation`` group names."""
    return _instances(cfg.evaluation, "evaluation", {})


def _instances(nodes: DictConfig, section: str, fill: Mapping[str, Any]) -> list[Any]:
    """Build every node that is not null, with its own nulls filled; ``nodes`` stays as it is."""
    built = []
    for name, node in nodes.items():
        if node is not None:
            if "_target_" not in node:  # settings of an option that was not chosen
                raise UserError(
                    f"{section}.{name!s}: expected a _target_, got none; try +{section}={name!s}, or "
                    f"{section}.{name!s}=null"
                )
            filled = node.copy()
            _fill(filled, fill)
            with blame(f"{section}.{name!s}"):
                built.append(instantiate(filled, _convert_="all"))
    return built


def _fill(node: DictConfig | None, values: Mapping[str, Any]) -> None:
    """Replace the nulls of a node by values of the same name; keys that the node lacks are left out."""
    if node is not None:
        for key, value in values.items():
            if key in node and node[key] is None:
                node[key] = value


def _check_task(cfg: DictConfig, data: VisionDataModule) -> None:
    """Stop early where masks meet a classifier, or several labels a module for one."""
    target = str(cfg.task.get("_target_", ""))
    if not target.startswith("robustlit."):
        return
    if target.endswith("SegmentationModule"):
        kind = "segmentation"
    else:
        kind = "multilabel" if cfg.task.get("multilabel") else "classification"
    if kind != data.task:
        raise UserError(
            f"task: expected one for {data.task}, as the data are, got one for {kind}; try task={data.task}"
        )


def _best_precision(accelerator: str) -> str:
    on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"
