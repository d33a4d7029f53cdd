"""Rebuild a finished run and test one of its checkpoints."""

from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.build import Parts, build_data, build_module, build_trainer
from robustlit.cli.config import run_names
from robustlit.cli.errors import UserError
from robustlit.cli.run import load_weights, print_results, quiet, run_evaluations
from robustlit.cli.versions import machine, packages
from robustlit.core.names import unknown_name
from robustlit.data.base import VisionDataModule
from robustlit.reports.results import Results

__all__ = ["evaluate"]


def evaluate(cfg: DictConfig, saved: DictConfig, folder: Path, checkpoint: Path) -> None:
    """Test a checkpoint, print the table and write ``evaluations/<checkpoint>.json``.

    Args:
        cfg: The configuration of the evaluation; what is not null there replaces what was saved.
        saved: The configuration of the run.
        folder: The run folder.
        checkpoint: The weights.
    """
    quiet()
    pl.seed_everything(saved.seed, workers=False, verbose=False)
    for section in ("data", "trainer"):
        given = {key: value for key, value in cfg[section].items() if value is not None}
        saved[section] = OmegaConf.merge(saved[section], given)
    data = build_data(saved)
    _keep_splits(data, cfg.splits)
    module = build_module(saved, data)
    load_weights(module, checkpoint)
    trainer = build_trainer(saved, logger=False, enable_checkpointing=False, default_root_dir=str(folder))
    rows = run_evaluations(cfg, Parts(data, module, trainer))
    results = Results(
        names=run_names(saved),
        seed=saved.seed,
        headline=getattr(module, "headline", ""),
        tests={checkpoint.stem: rows},
        bad_images=list(data.bad_images),
        versions={**packages(), **machine()},
    )
    if trainer.is_global_zero:
        results.write(folder / "evaluations" / f"{checkpoint.stem}.json")
        print_results(results, folder)


def _keep_splits(data: VisionDataModule, wanted: list[str] | None) -> None:
    """Leave only the wanted test splits in the data module."""
    if wanted is None:
        return
    for name in wanted:
        if name not in data.test_sets:
            raise UserError(f"splits: {unknown_name('test split', name, data.test_names)}")
    data.test_sets = {name: data.test_sets[name] for name in wanted}
