"""Paths as a run keeps them, and as the user would type them."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

__all__ = ["make_absolute", "program", "short"]

PLACES = ("data.path", "data.groups", "data.cache_dir", "evaluation.published.path", "evaluation.published.masks")
PERHAPS = {  # by section, keys that may say where something is, or what it is called; None for every key
    "data": ("content", "style"),
    "model": ("weights",),
    "task": ("encoder",),
    "augmentation": ("encoder", "decoder", "styles"),
    "evaluation": ("path", "masks", "mapping", "data"),
    "evaluation.ood.against": None,
}


def make_absolute(cfg: DictConfig) -> None:
    """Make the paths in a configuration absolute, so that the run can be resumed from any directory."""
    for place in PLACES:
        value = OmegaConf.select(cfg, place)
        if isinstance(value, str):
            OmegaConf.update(cfg, place, _absolute(value))
    for section, keys in PERHAPS.items():
        for node in _nodes(OmegaConf.select(cfg, section)):
            for key, value in node.items():
                wanted = keys is None or key in keys
                if wanted and isinstance(value, str) and Path(value).expanduser().exists():
                    node[key] = _absolute(value)


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve())


def _nodes(node: Any) -> Iterator[DictConfig]:
    """A section and what is nested in it."""
    if isinstance(node, DictConfig):
        yield node
        for value in node.values():
            yield from _nodes(value)


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
