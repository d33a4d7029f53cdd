"""Testing a model that no run has trained: torchvision's, or anybody's weights."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torchvision
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.build import Parts, build_data, build_evaluations, build_module, build_tester
from robustlit.cli.errors import UserError, blame
from robustlit.cli.gates import check_keys, missed, read_gates, stop_where_missed
from robustlit.cli.paths import short
from robustlit.cli.run import expected_keys, print_tables, quiet, run_evaluations
from robustlit.cli.versions import machine, packages
from robustlit.data.base import VisionDataModule
from robustlit.evaluation.splits import use_splits, use_whole
from robustlit.models.weights import head_name, is_file, load_weights, read_weights
from robustlit.reports.files import write_text
from robustlit.reports.record_files import write_records
from robustlit.reports.results import Results
from robustlit.reports.write import write_results

__all__ = ["evaluate", "model_name"]


def evaluate(cfg: DictConfig) -> None:
    """Test a model, print the tables and write results, CSV and pictures.

    Args:
        cfg: The resolved configuration; its nulls are filled in.

    Raises:
        UserError: If there are no weights, or they are for other classes than the data's.
        SystemExit: With code 1, if a figure misses its threshold.
    """
    quiet()
    gates = read_gates(cfg.fail_under, cfg.fail_over)
    key, weights = _weights(cfg)
    folder = Path(cfg.out or f"runs/evaluate/{model_name(cfg)}_{cfg.names.data}/{time.strftime('%Y-%m-%d_%H-%M-%S')}")
    if (folder / "results.json").exists():
        raise UserError(f"out: expected a folder without results, got {short(folder.resolve())}; try another")
    pl.seed_everything(cfg.seed, workers=False, verbose=False)
    given = OmegaConf.to_yaml(cfg)
    data = build_data(cfg)
    with blame("splits"):
        use_whole(data)
        use_splits(data, cfg.splits)
    expected = expected_keys(build_evaluations(cfg), data)
    check_keys(gates, expected, data.test_sets)
    module = _build(cfg, data, key, weights)
    trainer = build_tester(cfg, folder)
    rows, records = run_evaluations(cfg, Parts(data, module, trainer))
    name = Path(weights).stem or model_name(cfg)
    results = Results(
        names={**{str(name): value for name, value in cfg.names.items()}, "model": model_name(cfg), "weights": weights},
        seed=cfg.seed,
        headline=getattr(module, "headline", ""),
        tests={name: rows},
        bad_images=list(data.bad_images),
        versions={**packages(), **machine()},
    )
    if trainer.is_global_zero:
        written = write_results(results, folder / "results.json")
        write_records(records, folder, name)
        write_text(folder / "evaluation.yaml", given)
        print_tables(results)
        print(f"files        {', '.join(short(path.resolve()) for path in written)}", flush=True)
    stop_where_missed(missed(gates, rows, expected, list(data.test_sets)), printing=trainer.is_global_zero)


def model_name(cfg: DictConfig) -> str:
    """Return torchvision's or timm's name of the model, or that of the class or function that builds it."""
    parts = str(cfg.model["_target_"]).split(".")
    classes = [part for part in parts if part[:1].isupper()]  # package.Class.from_pretrained
    return str(cfg.model.get("name") or (classes or parts)[-1])


def _weights(cfg: DictConfig) -> tuple[str, str]:
    """Return which setting names trained weights, and what it says."""
    given = {key: OmegaConf.select(cfg, key) for key in ("model.weights", "checkpoint")}
    found = [(key, str(value)) for key, value in given.items() if value is not None]
    if len(found) > 1:
        raise UserError("checkpoint: expected one source of weights, got model.weights too; try leaving one out")
    brings_its_own = "weights" not in cfg.model and not str(cfg.model["_target_"]).startswith("robustlit.")
    if not found and not brings_its_own:
        raise UserError("expected trained weights, got none; try model.weights=DEFAULT or checkpoint=FILE")
    return found[0] if found else ("model", "")


def _build(cfg: DictConfig, data: VisionDataModule, key: str, weights: str) -> pl.LightningModule:
    """Build the module with these weights and no others: a head of other classes would be left as it was drawn."""
    if not weights or not is_file(weights):
        _check_named(cfg, data, key, weights)
        return build_module(cfg, data)
    if "weights" in cfg.model:
        cfg.model.weights = None
    module = build_module(cfg, data)
    network: Any = getattr(module, "network", module)
    with blame(key):
        head = read_weights(Path(weights)).get(f"{head_name(network)}.weight")
        if head is not None:
            _check_classes(len(head), data, key, weights)
        load_weights(network, model_name(cfg), weights)
    return module


def _check_named(cfg: DictConfig, data: VisionDataModule, key: str, weights: str) -> None:
    """Raise where torchvision's or timm's weights are for other classes; building the model tells unknown names."""
    name = model_name(cfg)
    if key == "checkpoint":
        raise UserError(f"checkpoint: expected a file, got {weights!r}; try model.weights=DEFAULT, or another path")
    if str(cfg.model["_target_"]).endswith("timm_classifier"):
        from robustlit.models.timm_classifier import timm_classes

        with blame("model"):
            count = timm_classes(name)
        if weights == "DEFAULT" and count is not None:
            _check_classes(count, data, key, weights)
    elif name in torchvision.models.list_models(module=torchvision.models):
        choices = torchvision.models.get_model_weights(name).__members__
        if weights in choices:
            _check_classes(len(choices[weights].meta["categories"]), data, key, weights)


def _check_classes(count: int, data: VisionDataModule, key: str, weights: str) -> None:
    wanted = max(data.num_classes, 1)
    if count != wanted:
        place = f" of {data.path}" if hasattr(data, "path") and data.path else ""
        raise UserError(
            f"{key}: expected weights for the {wanted} classes{place}, got {weights} for {count}; try data with those "
            f"{count} classes, or train a head for these: robustlit train model.weights={weights} …"
        )
