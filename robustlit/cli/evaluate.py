"""``robustlit evaluate``: the tests of a finished run once more, or of a model that no run has trained."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError
from robustlit.cli.gates import OPTIONS, read_gates
from robustlit.cli.suggest import parted

__all__ = ["command", "model_task", "task"]


def command(arguments: Sequence[str]) -> None:
    """Check what is to be evaluated, and evaluate."""
    arguments, thresholds = _thresholds(arguments)
    words, folders = parted(arguments)
    words += [f"run={folder}" for folder in folders]
    runs = [word.partition("=")[2].strip("\"'") for word in words if word.startswith("run=")]
    if not runs and any(word.startswith("model=") for word in words):
        run_hydra(model_task, "evaluate_model", [*words, *thresholds])
        return
    if not runs:
        raise UserError(
            "expected a run folder or model=NAME, got neither; try 'robustlit evaluate runs/NAME/TIME', or "
            "'robustlit evaluate --help'"
        )
    folder = Path(runs[-1])
    if not (folder / "config.yaml").is_file():
        raise UserError(
            f"run: expected a run folder, got {str(folder)!r}, which has no config.yaml; try runs/NAME/TIME"
        )
    others = [word for word in words if not word.startswith("run=")]
    run_hydra(task, "evaluate", [f"run={json.dumps(str(folder.resolve()))}", *others, *thresholds])


def task(cfg: DictConfig) -> None:
    """Evaluate one checkpoint of one run."""
    _check_complete(cfg)
    folder = Path(cfg.run)
    checkpoint = _checkpoint(folder, cfg.checkpoint)
    saved = cast(DictConfig, OmegaConf.load(folder / "config.yaml"))
    if is_first_process():
        print(f"Evaluating {checkpoint.stem} of {folder}", flush=True)
    from robustlit.cli.reevaluate import evaluate

    evaluate(cfg, saved, folder, checkpoint)


def model_task(cfg: DictConfig) -> None:
    """Evaluate one model that has no run."""
    _check_complete(cfg)
    OmegaConf.resolve(cfg)
    OmegaConf.set_struct(cfg, False)
    if is_first_process():
        print(f"Evaluating {cfg.names.model} on {cfg.names.data}", flush=True)
    from robustlit.cli.evaluate_model import evaluate

    evaluate(cfg)


def _check_complete(cfg: DictConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise UserError(f"{missing[0]}: expected a value, got none; try {missing[0]}=VALUE")


def _thresholds(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take out ``--fail-under KEY=VALUE`` and ``--fail-over KEY=VALUE``; returns the rest, and them as overrides."""
    found: dict[str, list[str]] = {option: [] for option in OPTIONS}
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        option, equals, value = word.partition("=")
        if option.startswith("--fail") and option not in OPTIONS:
            raise UserError(f"unknown option {option!r}; did you mean {get_close_matches(option, OPTIONS, 1, 0)[0]!r}?")
        if option in OPTIONS:
            found[option].append(value if equals else next(words, ""))
        else:
            rest.append(word)
    read_gates(*found.values())  # what is no threshold is told at once
    return rest, [f"{OPTIONS[option]}={json.dumps(values)}" for option, values in found.items() if values]


def _checkpoint(folder: Path, wanted: str) -> Path:
    """Return the checkpoint of that name or path."""
    named = folder / "checkpoints" / f"{wanted}.ckpt"
    for path in (named, Path(wanted)):
        if path.is_file():
            return path
    there = sorted(path.stem for path in (folder / "checkpoints").glob("*.ckpt"))
    raise UserError(
        f"checkpoint: expected one of {', '.join(there) or 'none'} or a file, got {wanted!r}; try checkpoint=last"
    )
