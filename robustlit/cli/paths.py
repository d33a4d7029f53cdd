"""Paths as a run keeps them, and as the user would type them."""

import shlex
import shutil
import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

__all__ = ["make_absolute", "program", "short"]

PLACES = ("data.path", "data.groups", "data.cache_dir", "evaluation.published.path", "evaluation.published.masks")
PERHAPS_FILES = ("model.weights",)  # or torchvision's name of them


def make_absolute(cfg: DictConfig) -> None:
    """Make the paths in a configuration absolute, so that the run can be resumed from any directory."""
    for key in (*PLACES, *PERHAPS_FILES):
        value = OmegaConf.select(cfg, key)
        if isinstance(value, str):
            path = Path(value).expanduser()
            if key in PLACES or path.is_file():
                OmegaConf.update(cfg, key, str(path.resolve()))


def short(path: Path) -> str:
    """Return a path as the user would type it from here.

    Example:
        >>> short(Path.cwd() / "runs" / "my run")
        "'runs/my run'"
    """
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def program() -> str:
    """Return what starts robustlit when it is typed here, also where the command is not on the PATH."""
    script = Path(sys.executable).with_name("robustlit")
    if shutil.which("robustlit"):
        return "robustlit"
    return short(script) if script.is_file() else f"{short(Path(sys.executable))} -m robustlit"
