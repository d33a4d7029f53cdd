"""``robustlit explain``: draw what a model looks at in some pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import run_hydra
from robustlit.cli.errors import UserError
from robustlit.cli.suggest import parted

__all__ = ["command", "model_task", "task"]


def command(arguments: Sequence[str]) -> None:
    """Check what is to be explained, and explain it."""
    words, plain = parted(arguments)
    of_model = any(word.startswith("model=") for word in words)
    runs = [word for word in plain if (Path(word) / "config.yaml").is_file()]
    pictures = [word for word in plain if word not in runs]
    if not of_model and not runs:
        raise UserError(
            f"expected a run folder or model=NAME, got {_shown(plain)}; try 'robustlit explain runs/NAME/TIME "
            "PICTURE', or 'robustlit explain --help'"
        )
    if len(runs) + of_model > 1:
        raise UserError(f"expected one run folder or model=NAME, got {_shown(runs)} too; try one after the other")
    if not pictures:
        raise UserError("expected at least one picture, got none; try 'robustlit explain … PICTURE.png'")
    for picture in pictures:
        if not Path(picture).exists():
            raise UserError(f"expected a picture or a folder of pictures, got {picture!r}, which does not exist")
    words.append(f"pictures={json.dumps([str(Path(picture).resolve()) for picture in pictures])}")
    if of_model:
        run_hydra(model_task, "explain_model", words)
    else:
        run_hydra(task, "explain", [f"run={json.dumps(str(Path(runs[0]).resolve()))}", *words])


def task(cfg: DictConfig) -> None:
    """Explain the model of a run."""
    from robustlit.cli.explain_pictures import explain_run

    OmegaConf.resolve(cfg)
    explain_run(cfg)


def model_task(cfg: DictConfig) -> None:
    """Explain a model that has no run."""
    from robustlit.cli.explain_pictures import explain_model

    OmegaConf.resolve(cfg)
    OmegaConf.set_struct(cfg, False)
    explain_model(cfg)


def _shown(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words)) or "neither"
