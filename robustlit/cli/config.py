"""Where the configuration lives, and how Hydra is run on it."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.devices import jobs_at_once
from robustlit.cli.errors import JobFailed, UserError, hydra_raises, report
from robustlit.cli.list_groups import joined
from robustlit.cli.suggest import composition_line, flags_first

__all__ = ["config_dir", "is_first_process", "published", "run_hydra", "run_names", "short_hash"]


def config_dir() -> Path:
    """Return the folder ``conf/``: inside the package in a wheel, beside it in a checkout.

    Raises:
        FileNotFoundError: If it is in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"expected conf/train.yaml in {package} or {package.parent}; try installing robustlit again"
    )


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that stand for a text: the folder name of a sweep's job.

    Example:
        >>> short_hash("augmentation=none") == short_hash("augmentation=none")
        True
    """
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def choice(group: str, *, _root_: DictConfig) -> str | None:
    """Return the option chosen of a group, also where Hydra names a sweep's folder before it knows its own settings."""
    from hydra.core.hydra_config import HydraConfig

    settings = _root_.hydra if "hydra" in _root_ else HydraConfig.get()
    return cast(str | None, settings.runtime.choices[group])


OmegaConf.register_new_resolver("short_hash", short_hash, replace=True)
OmegaConf.register_new_resolver("choice", choice, replace=True)
OmegaConf.register_new_resolver("jobs_at_once", jobs_at_once, replace=True)


def is_first_process() -> bool:
    """Whether this process prints and writes files: the only one, or rank 0 of several."""
    return all(os.environ.get(key, "0") == "0" for key in ("LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"))


def run_names(cfg: DictConfig) -> dict[str, str | None]:
    """Return what was trained on what, by the names in the configuration."""
    return {**{str(key): name for key, name in cfg.names.items()}, "augmentation": "+".join(cfg.augmentation) or "none"}


def published(cfg: DictConfig) -> dict[str, Any]:
    """Return the figures of the paper that an experiment follows, by ``<test>/<metric>``."""
    return cast(dict[str, Any], OmegaConf.to_container(cfg.get("published") or OmegaConf.create({})))


def run_hydra(
    task: Callable[[DictConfig], object], name: str, arguments: Sequence[str], folder: Path | None = None
) -> None:
    """Compose a primary configuration with overrides and run a task on it, once or as a sweep.

    Args:
        task: Gets the composed configuration. Must be a module-level function, so that launchers can pickle it.
        name: Name of the primary configuration: "train", "evaluate".
        arguments: Overrides and Hydra's own flags.
        folder: Where the primary configuration is; ``conf/`` when None.

    Raises:
        UserError: If the configuration cannot be composed; one line, with the nearest match.
        SystemExit: If the task fails; the failure has been reported.
    """
    import hydra
    from hydra.errors import HydraException

    place = folder or config_dir()
    job = partial(_run_job, task, list(sys.argv))
    with hydra_raises(), _arguments([sys.argv[0], *joined(flags_first(arguments))]):
        try:
            hydra.main(version_base="1.3", config_path=str(place), config_name=name)(job)()
        except HydraException as error:
            raise UserError(composition_line(error, place, name, arguments)) from error
        except OSError as error:
            reason = f"{error.strerror} ({error.filename})"
            key = "hydra.sweep.dir" if {"-m", "--multirun"} & set(arguments) else "hydra.run.dir"
            raise UserError(f"{key}: cannot make the run folder: {reason}; try another folder") from error


def _run_job(task: Callable[[DictConfig], object], argv: list[str], cfg: DictConfig) -> object:
    """Run one job; report its failure here, because Hydra would print a line of its own and a sweep goes on."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    sys.argv = argv  # Lightning's launcher starts the other processes from the arguments as they were typed
    try:
        return task(cfg)
    except Exception as error:
        settings = HydraConfig.get()
        if settings.mode == RunMode.MULTIRUN:
            raise JobFailed(report(error, f"job {settings.job.num} ({settings.job.override_dirname}): ")) from None
        raise SystemExit(report(error)) from error


@contextmanager
def _arguments(argv: list[str]) -> Iterator[None]:
    """Let Hydra, which reads ``sys.argv``, see the arguments without the command's name."""
    before = sys.argv
    sys.argv = argv
    try:
        yield
    finally:
        sys.argv = before
