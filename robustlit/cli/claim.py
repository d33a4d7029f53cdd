"""Taking a run folder, and what becomes of it when the run ends early."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.errors import UserError
from robustlit.cli.paths import program, short

__all__ = ["claim", "going_on"]

TRACES = ("checkpoints/*.ckpt", "events.out.tfevents.*", "metrics.csv", "results.json")  # of a training


def claim(folder: Path, composed: DictConfig, cfg: DictConfig) -> None:
    """Write the configuration, so that the run can be resumed whenever it is killed.

    Args:
        folder: The run folder, which exists.
        composed: The configuration as Hydra composed it, for ``.hydra/``.
        cfg: The same, resolved.

    Raises:
        UserError: If the folder holds a run; nothing has been written then.
    """
    from hydra.core.hydra_config import HydraConfig

    from robustlit.reports.files import write_text

    if (folder / ".hydra").exists():
        raise _taken(folder)
    try:
        with (folder / "config.yaml").open("x", encoding="utf-8") as file:  # of two runs that want it, one gets it
            file.write(OmegaConf.to_yaml(cfg))
    except FileExistsError:
        raise _taken(folder) from None
    hydra = HydraConfig.instance().cfg
    parts = {"config": composed, "hydra": hydra, "overrides": HydraConfig.get().overrides.task}
    for name, part in parts.items():
        write_text(folder / ".hydra" / f"{name}.yaml", OmegaConf.to_yaml(part))


@contextmanager
def going_on(folder: Path, *, new: bool) -> Iterator[None]:
    """Run a block that trains; where Ctrl-C ends it, say how to go on.

    Args:
        folder: The run folder.
        new: Whether this command claimed the folder. It is left as it was found where training never began, so that
            the corrected command can have it.

    Raises:
        KeyboardInterrupt: With the command that goes on, also where Lightning turned Ctrl-C into SystemExit.
    """
    try:
        yield
    except BaseException as stop:
        began = any(next(folder.glob(trace), None) for trace in TRACES)
        if new and not began:
            _release(folder)
        if isinstance(stop, KeyboardInterrupt) or isinstance(stop.__context__, KeyboardInterrupt):
            hint = f"; try {program()} train resume={short(folder)}" if began else ""
            raise KeyboardInterrupt(f"interrupted{hint}") from None
        raise


def _taken(folder: Path) -> UserError:
    return UserError(f"hydra.run.dir: {short(folder)} already holds a run; try resume={short(folder)} or another name")


def _release(folder: Path) -> None:
    """Remove what was written before training; the folder too, if nothing else is in it."""
    shutil.rmtree(folder / ".hydra", ignore_errors=True)
    (folder / "config.yaml").unlink(missing_ok=True)
    for empty in (folder / "checkpoints", folder):
        with suppress(OSError):
            empty.rmdir()
