"""Rebuild a finished run and test one of its checkpoints."""

from dataclasses import replace
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.build import Parts, build_data, build_evaluations, build_module, build_tester
from robustlit.cli.config import run_names, short_hash
from robustlit.cli.errors import blame
from robustlit.cli.gates import check_keys, missed, read_gates, stop_where_missed
from robustlit.cli.paths import short
from robustlit.cli.run import expected_keys, load_weights, print_results, quiet, run_evaluations
from robustlit.cli.versions import machine, packages
from robustlit.evaluation.splits import use_splits
from robustlit.reports.record_files import write_records
from robustlit.reports.results import Results, merged
from robustlit.reports.write import write_results

__all__ = ["evaluate"]


def evaluate(cfg: DictConfig, saved: DictConfig, folder: Path, checkpoint: Path) -> None:
    """Test a checkpoint, print the tables and write ``evaluations/<checkpoint>.json``, CSV and pictures.

    Figures of other tests and splits that the file already has stay there. A checkpoint from elsewhere gets a file
    of its own.

    Args:
        cfg: The configuration of the evaluation; what is not null there replaces what was saved.
        saved: The configuration of the run.
        folder: The run folder.
        checkpoint: The weights.

    Raises:
        SystemExit: With code 1, if a figure misses its threshold.
    """
    quiet()
    gates = read_gates(cfg.fail_under, cfg.fail_over)
    pl.seed_everything(saved.seed, workers=False, verbose=False)
    for section in ("data", "trainer"):
        given = {key: value for key, value in cfg[section].items() if value is not None}
        saved[section] = OmegaConf.merge(saved[section], given)
    data = build_data(saved)
    with blame("splits"):
        use_splits(data, cfg.splits)
    expected = expected_keys(build_evaluations(cfg), data)
    check_keys(gates, expected, data.test_sets)
    module = build_module(saved, data)
    load_weights(module, checkpoint)
    trainer = build_tester(saved, folder)
    rows, records = run_evaluations(cfg, Parts(data, module, trainer))
    name = _name(folder, checkpoint)
    results = replace(
        _known(saved, folder, checkpoint),
        headline=getattr(module, "headline", ""),
        tests={name: rows},
        bad_images=list(data.bad_images),
        versions={**packages(), **machine()},
    )
    if trainer.is_global_zero:
        file = folder / "evaluations" / f"{name}.json"
        earlier = [] if _older(file, checkpoint) else Results.read(file).tests.get(name, [])
        written = write_results(replace(results, tests={name: merged(earlier, rows)}), file)
        write_records(records, folder, name, stale=_older(folder / "evaluations" / name, checkpoint))
        print_results(results, folder)
        print(f"files        {', '.join(map(short, written))}", flush=True)
    stop_where_missed(missed(gates, rows, expected, list(data.test_sets)), printing=trainer.is_global_zero)


def _older(path: Path, checkpoint: Path) -> bool:
    """Whether what is there, if anything, is of earlier weights."""
    return not path.exists() or path.stat().st_mtime < checkpoint.stat().st_mtime


def _known(saved: DictConfig, folder: Path, checkpoint: Path) -> Results:
    """What is known of the training that led to a checkpoint, which must not be told without it."""
    results = folder / "results.json"
    if _is_own(folder, checkpoint) and results.is_file():
        return Results.read(results)
    return Results(names=run_names(saved), seed=saved.seed)


def _name(folder: Path, checkpoint: Path) -> str:
    if _is_own(folder, checkpoint):
        return checkpoint.stem
    return f"{checkpoint.stem}-{short_hash(str(checkpoint.resolve()))}"


def _is_own(folder: Path, checkpoint: Path) -> bool:
    return checkpoint.resolve().parent == (folder / "checkpoints").resolve()
