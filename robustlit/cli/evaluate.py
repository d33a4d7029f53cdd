"""``robustlit evaluate RUN``: the tests of a finished run once more, without training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError

__all__ = ["command", "task"]


def command(arguments: Sequence[str]) -> None:
    """Check the run folder and evaluate."""
    words = [_as_override(word) for word in arguments]
    runs = [word.partition("=")[2].strip("\"'") for word in words if word.startswith("run=")]
    if not runs:
        raise UserError("expected a run folder, got none; try 'robustlit evaluate runs/NAME/TIME'")
    folder = Path(runs[-1])
    if not (folder / "config.yaml").is_file():
        raise UserError(
            f"run: expected a run folder, got {str(folder)!r}, which has no config.yaml; try runs/NAME/TIME"
        )
    others = [word for word in words if not word.startswith("run=")]
    run_hydra(task, "evaluate", [f"run={json.dumps(str(folder.resolve()))}", *others])


def task(cfg: DictConfig) -> None:
    """Evaluate one checkpoint of one run."""
    folder = Path(cfg.run)
    checkpoint = _checkpoint(folder, cfg.checkpoint)
    saved = cast(DictConfig, OmegaConf.load(folder / "config.yaml"))
    if is_first_process():
        print(f"Evaluating {checkpoint.stem} of {folder}", flush=True)
    from robustlit.cli.reevaluate import evaluate

    evaluate(cfg, saved, folder, checkpoint)


def _as_override(word: str) -> str:
    """Let the first thing without a key be the run folder."""
    return word if "=" in word or word.startswith("-") else f"run={word}"


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
