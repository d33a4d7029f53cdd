"""One training run from start to table."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from robustlit.callbacks import BestCheckpoint
from robustlit.callbacks.budget import BudgetedEvaluation
from robustlit.cli.build import Parts, build_evaluations, build_parts
from robustlit.cli.config import published, run_names
from robustlit.cli.errors import UserError, warning_line
from robustlit.cli.evaluation_progress import telling
from robustlit.cli.hparams import log_hparams
from robustlit.cli.paths import program, short
from robustlit.cli.session import Session
from robustlit.cli.versions import machine, packages
from robustlit.data.base import VisionDataModule
from robustlit.data.errors import DataError
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record
from robustlit.evaluation.splits import use_splits
from robustlit.reports.corruption_table import corruption_tables
from robustlit.reports.files import write_json, write_text
from robustlit.reports.record_files import write_records
from robustlit.reports.results import Chosen, Results
from robustlit.reports.table import results_table
from robustlit.reports.write import write_results

__all__ = ["expected_keys", "load_weights", "print_results", "print_tables", "quiet", "run_evaluations", "train"]

CHECKPOINTS = ("best_clean", "best_robust", "last")  # the order of testing: the module ends with the last weights


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
    first_step = _first_step(cfg, checkpoint) if resumed else None
    versions = {**packages(), **machine()}

    def begin() -> None:
        # results of fewer epochs go before the configuration asks for more: with both, the run would count as finished
        (folder / "results.json").unlink(missing_ok=True)
        write_text(folder / "config.yaml", OmegaConf.to_yaml(cfg))
        write_json(folder / "versions.json", versions)

    session = Session(begin)
    parts = build_parts(cfg, folder, first_step, [session])
    log_hparams(cfg, parts)
    with _blame_data():
        expected_keys(build_evaluations(cfg), parts.data)  # what cannot be tested is told before the training
        parts.trainer.fit(parts.module, datamodule=parts.data, ckpt_path=checkpoint and str(checkpoint))
        results = _results(cfg, parts, session, folder, versions)
        results.tests.update(_test_checkpoints(cfg, parts, folder))
    if parts.trainer.is_global_zero:
        write_results(results, folder / "results.json")
        print_results(results, folder)
    return results.validation.get(results.headline)


def quiet() -> None:
    """Show what a user acts on: not Lightning's greetings and some well-known warnings; the others in a line each."""
    warnings.formatwarning = warning_line  # importing Lightning has put its own there
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


def load_weights(module: pl.LightningModule, checkpoint: Path) -> int:
    """Load a checkpoint's weights and nothing else.

    Returns:
        The step at which they were saved.

    Raises:
        ValueError: If the file is not a checkpoint of this module.
    """
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    try:
        module.load_state_dict(content["state_dict"])
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"expected weights of this model in {checkpoint}, got {reason}; try its own run") from error
    return int(content.get("global_step", 0))


class Found(NamedTuple):
    """What tests found.

    Args:
        rows: The figures.
        records: What is beside them.
    """

    rows: list[Row]
    records: list[Record]


def run_evaluations(cfg: DictConfig, parts: Parts) -> Found:
    """Run every test of the configuration on the module as it is."""
    rows: list[Row] = []
    records: list[Record] = []
    tests = build_evaluations(cfg)
    for number, test in enumerate(tests, 1):
        with telling(parts.trainer, f"{test.name} ({number} of {len(tests)})"):
            rows += test.run(parts.module, parts.data, parts.trainer)
        records += getattr(test, "records", [])
    return Found(rows, records)


def expected_keys(tests: Sequence[Any], data: VisionDataModule) -> list[str]:
    """Return the keys ``<test>/<metric>`` of what tests will measure; one that cannot run raises here, before work."""
    keys: list[str] = []
    for test in tests:
        expects = getattr(test, "expects", None)
        keys += [f"{test.name}/*"] if expects is None else expects(data)
    return keys


def print_tables(results: Results) -> None:
    """Print the figures."""
    for table in (results_table(results), *corruption_tables(results)):
        print(f"\n{table}")
    print()


def print_results(results: Results, folder: Path) -> None:
    """Print the tables, and where to look next."""
    print_tables(results)
    for name, chosen in results.selected_on.items():
        print(f"{name} was selected on {chosen.monitor}{_best(chosen)}")
    for split in results.overlap:
        print(f"figures on the split {split} are not independent: these images selected the checkpoint")
    print(f"run folder   {short(folder)}")
    print(f"TensorBoard  {program()} tensorboard {short(folder)}", flush=True)


def _best(chosen: Chosen) -> str:
    return "" if chosen.score is None else f" ({chosen.score:.4f} in epoch {chosen.epoch}, the first being 0)"


@contextmanager
def _blame_data() -> Iterator[None]:
    """Name the section at fault where a batch turns out wrong."""
    try:
        yield
    except DataError as error:
        raise UserError(f"data: {error}") from error


def _test_checkpoints(cfg: DictConfig, parts: Parts, folder: Path) -> dict[str, list[Row]]:
    """Test the best weights and the last ones, once where they are the same."""
    parts.trainer.strategy.barrier()
    parts.trainer.loggers = []  # the figures belong into results.json; two checkpoints cannot share one curve
    parts.trainer.callbacks = [each for each in parts.trainer.callbacks if not isinstance(each, BudgetedEvaluation)]  # type: ignore[attr-defined]
    use_splits(parts.data)
    tests: dict[int, Found] = {}
    step_of: dict[str, int] = {}
    for name in CHECKPOINTS:
        path = folder / "checkpoints" / f"{name}.ckpt"
        if path.is_file():
            step_of[name] = load_weights(parts.module, path)
        elif name == "last":
            step_of[name] = parts.trainer.global_step
        if name in step_of and step_of[name] not in tests:
            tests[step_of[name]] = run_evaluations(cfg, parts)
        if name in step_of and parts.trainer.is_global_zero:
            write_records(tests[step_of[name]].records, folder, name, stale=True)
    return {name: tests[step].rows for name, step in step_of.items() if tests[step].rows}


def _results(cfg: DictConfig, parts: Parts, session: Session, folder: Path, versions: dict[str, Any]) -> Results:
    trainer = parts.trainer
    return Results(
        names=run_names(cfg),
        seed=cfg.seed,
        epochs=trainer.current_epoch,
        steps=trainer.global_step,
        seconds=round(session.seconds, 1),
        headline=getattr(parts.module, "headline", ""),
        selected_on=_chosen(trainer, folder),
        validation=dict(session.validation),
        bad_images=list(parts.data.bad_images),
        versions=versions,
        published=published(cfg),
    )


def _chosen(trainer: pl.Trainer, folder: Path) -> dict[str, Chosen]:
    """How the best checkpoints were chosen, by name."""
    found = {}
    for saver in trainer.checkpoint_callbacks:
        if isinstance(saver, BestCheckpoint) and saver.filename in CHECKPOINTS:
            kept = folder / "checkpoints" / f"{saver.filename}.ckpt"
            if saver.best_model_score is None or not kept.is_file():
                found[saver.filename] = Chosen(str(saver.monitor))
            else:
                score, epoch = float(saver.best_model_score), _read(kept)["epoch"]
                found[saver.filename] = Chosen(str(saver.monitor), score, epoch)
    return found


def _first_step(cfg: DictConfig, checkpoint: Path | None) -> int:
    """The optimizer step at which a checkpoint goes on; refuses to end before the epoch that it is in."""
    if checkpoint is None:
        return 0
    content = _read(checkpoint)
    begun = content["loops"]["fit_loop"]["epoch_progress"]["current"]["ready"]
    asked = cfg.trainer.max_epochs
    if asked is not None and -1 < asked < begun:
        raise UserError(
            f"trainer.max_epochs: expected at least the {begun} that the run has begun, got {asked}; try {begun + 1}"
        )
    return int(content["global_step"])


def _read(checkpoint: Path) -> dict[str, Any]:
    """A checkpoint's content, of which only what is used is read from the disk."""
    content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    return content
