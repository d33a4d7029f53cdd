"""One training run from start to table."""

import logging
import time
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.build import Parts, build_evaluations, build_parts
from robustlit.cli.config import is_first_process, run_names
from robustlit.cli.hparams import log_hparams
from robustlit.cli.versions import machine, packages
from robustlit.evaluation.base import Row
from robustlit.reports.files import write_json, write_text
from robustlit.reports.results import Results
from robustlit.reports.table import results_table

__all__ = ["load_weights", "print_results", "quiet", "run_evaluations", "train"]

CHECKPOINTS = ("best_clean", "last")  # the order in which they are tested: the module ends with the last weights


def train(cfg: DictConfig, folder: Path, *, resumed: bool = False, checkpoint: Path | None = None) -> float | None:
    """Train, test, and write everything that a run leaves behind.

    Args:
        cfg: The resolved configuration; its nulls are filled in.
        folder: The run folder.
        resumed: Whether an earlier session has written logs there.
        checkpoint: Where to go on; None to start at the first step.

    Returns:
        The last validation figure of the headline metric, if there is one.
    """
    quiet()
    pl.seed_everything(cfg.seed, workers=False, verbose=False)
    parts = build_parts(cfg, folder, _first_step(checkpoint) if resumed else None)
    versions = {**packages(), **machine()}
    if is_first_process():
        write_text(folder / "config.yaml", OmegaConf.to_yaml(cfg))
        write_json(folder / "versions.json", versions)
    log_hparams(cfg, parts)
    start = time.perf_counter()
    parts.trainer.fit(parts.module, datamodule=parts.data, ckpt_path=checkpoint and str(checkpoint))
    results = _results(cfg, parts, time.perf_counter() - start, versions)
    results.tests.update(_test_checkpoints(cfg, parts, folder))
    if parts.trainer.is_global_zero:
        results.write(folder / "results.json")
        print_results(results, folder)
    return results.validation.get(results.headline)


def quiet() -> None:
    """Keep to stdout what a user acts on: Lightning's greetings and some well-known warnings are not."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*isinstance.*LeafSpec.*",
        ".*your dataloader is not resumable.*",  # ours is: the data module says where it was
        ".*number of training batches.*smaller than the logging interval.*",
    ):
        warnings.filterwarnings("ignore", message)


def load_weights(module: pl.LightningModule, checkpoint: Path) -> None:
    """Load a checkpoint's weights and nothing else.

    Raises:
        ValueError: If the file is not a checkpoint of this module.
    """
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    try:
        module.load_state_dict(content["state_dict"])
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"expected weights of this model in {checkpoint}, got {reason}; try its own run") from error


def run_evaluations(cfg: DictConfig, parts: Parts) -> list[Row]:
    """Run every test of the configuration on the module as it is."""
    return [row for test in build_evaluations(cfg) for row in test.run(parts.module, parts.data, parts.trainer)]


def print_results(results: Results, folder: Path) -> None:
    """Print the table, and where to look next."""
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    print(f"\n{results_table(results)}\n")
    if results.selected_on:
        print(f"best_clean was selected on {results.selected_on}")
    print(f"run folder   {shown}")
    print(f"TensorBoard  robustlit tensorboard {shown}", flush=True)


def _test_checkpoints(cfg: DictConfig, parts: Parts, folder: Path) -> dict[str, list[Row]]:
    """Test the best weights and the last ones."""
    parts.trainer.strategy.barrier()
    parts.trainer.loggers = []  # the figures belong into results.json; two checkpoints cannot share one curve
    tests = {}
    for name in CHECKPOINTS:
        path = folder / "checkpoints" / f"{name}.ckpt"
        if path.is_file():
            load_weights(parts.module, path)
        elif name != "last":
            continue
        rows = run_evaluations(cfg, parts)
        if rows:
            tests[name] = rows
    return tests


def _results(cfg: DictConfig, parts: Parts, seconds: float, versions: dict[str, Any]) -> Results:
    trainer = parts.trainer
    best = cfg.callbacks.get("best_checkpoint")
    return Results(
        names=run_names(cfg),
        seed=cfg.seed,
        epochs=trainer.current_epoch,
        steps=trainer.global_step,
        seconds=round(seconds, 1),
        headline=getattr(parts.module, "headline", ""),
        selected_on=best.get("monitor") or "" if best else "",
        validation={key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith("val/")},
        bad_images=list(parts.data.bad_images),
        versions=versions,
    )


def _first_step(checkpoint: Path | None) -> int:
    """The optimizer step at which a checkpoint goes on."""
    if checkpoint is None:
        return 0
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["global_step"])
