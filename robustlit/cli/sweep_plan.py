"""What a sweep will do: its folder, its jobs and who runs them, known before the first job starts."""

import importlib.util
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import config_dir
from robustlit.cli.devices import cores
from robustlit.cli.errors import UserError
from robustlit.cli.list_groups import joined
from robustlit.cli.suggest import composition_line, config_dirs, flags_first

__all__ = ["Plan", "asks_for_a_sweep", "make_plan", "typed_words"]

PLUGINS = {  # what an option of the group sweep needs: module, extra
    "joblib": ("hydra_joblib_launcher", "sweep"),
    "submitit_local": ("hydra_submitit_launcher", "sweep"),
    "slurm": ("hydra_submitit_launcher", "sweep"),
    "optuna": ("hydra_optuna_sweeper", "sweep"),
    "ray": ("hydra_ray_launcher", "ray"),
}
LOOKING = ("--cfg", "-c", "--info", "-i", "--hydra-help")
FLAGS = ("-m", "--multirun", "hydra.mode=MULTIRUN")


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Args:
        folder: Where it is kept, absolute.
        words: Overrides and flags as they were typed, without ``-m`` and ``resume``.
        jobs: The overrides of every job; None where a search chooses them as it goes.
        differ: The keys whose values differ between jobs.
        total: The number of jobs.
        launcher: The class that runs them: "BasicLauncher", "JoblibLauncher".
        at_once: How many run together.
        cfg: The composed configuration, Hydra's own settings in ``cfg.hydra``.
    """

    folder: Path
    words: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...] | None
    differ: tuple[str, ...]
    total: int
    launcher: str
    at_once: int
    cfg: DictConfig

    @property
    def is_search(self) -> bool:
        """Whether the jobs are chosen as the sweep goes on."""
        return self.jobs is None

    @property
    def is_here(self) -> bool:
        """Whether the jobs run one after another in this process, and print what single runs print."""
        return self.launcher == "BasicLauncher"

    def record(self) -> dict[str, Any]:
        """Return what ``sweep.json`` keeps."""
        return {
            "command": list(self.words),
            "directory": str(Path.cwd()),
            "launcher": self.launcher,
            "total": self.total,
            "at_once": min(self.at_once, self.total),
            "jobs": self.jobs,
            "differ": self.differ,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": time.time(),
        }


def asks_for_a_sweep(arguments: Sequence[str]) -> bool:
    """Whether the words ask for a sweep: by ``-m``, or by the choice of who runs it."""
    if any(word.partition("=")[0] in LOOKING for word in arguments):
        return False
    chosen = [word for word in arguments if word.startswith("sweep=") and word not in ("sweep=", "sweep=[]")]
    return bool(chosen) or any(flag in arguments for flag in FLAGS)


def typed_words(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return what tells one sweep from another: everything but ``-m`` and ``resume``."""
    return tuple(word for word in arguments if word not in FLAGS and not word.startswith("resume="))


def make_plan(words: Sequence[str]) -> Plan:
    """Compose the sweep's configuration and list its jobs.

    Args:
        words: Overrides and flags, as they were typed in the working directory.

    Raises:
        UserError: If the configuration cannot be composed, or a plugin is missing.
    """
    _check_plugins(words)
    try:
        cfg, overrides = _composed(words)
    except HydraException as error:
        raise UserError(composition_line(error, config_dir(), "train", words)) from error
    hydra = cfg.hydra
    jobs = _grid(overrides) if str(hydra.sweeper._target_).endswith("BasicSweeper") else None
    launcher = str(hydra.launcher._target_).rpartition(".")[2]
    return Plan(
        folder=Path(hydra.sweep.dir).resolve(),
        words=tuple(words),
        jobs=jobs,
        differ=tuple(each.get_key_element().lstrip("+~") for each in overrides if each.is_sweep_override()),
        total=len(jobs) if jobs is not None else int(hydra.sweeper.n_trials),
        launcher=launcher,
        at_once=1 if launcher == "BasicLauncher" else _at_once(cfg),
        cfg=cfg,
    )


def _check_plugins(words: Sequence[str]) -> None:
    """Say which extra is missing, before Hydra says that it knows no such option."""
    for word in words:
        if word.startswith("sweep="):
            for option in word.removeprefix("sweep=").strip("[]").split(","):
                module, extra = PLUGINS.get(option.strip(), ("", ""))
                if module and importlib.util.find_spec(f"hydra_plugins.{module}") is None:
                    package = module.replace("_", "-")
                    raise UserError(
                        f"sweep={option}: expected the package {package}, which is not installed; "
                        f"try pip install 'robustlit[{extra}]'"
                    )


def _composed(words: Sequence[str]) -> tuple[DictConfig, list[Any]]:
    """Return the sweep's configuration, and the overrides of its jobs before they are told apart."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    overrides = [word for word in joined(flags_first(words)) if "=" in word and not word.startswith("-")]
    places = [f"file://{Path(place).resolve()}" for place in config_dirs(words)]
    extra = [f"hydra.searchpath=[{','.join(places)}]"] if places else []
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        if hydra is None:
            raise RuntimeError("expected Hydra to be set up")
        cfg = hydra.compose_config("train", [*overrides, *extra], RunMode.MULTIRUN, from_shell=False)
        OmegaConf.resolve(cfg.hydra.sweep)
        given = [f"{key}={value}" for key, value in (cfg.hydra.sweeper.get("params") or {}).items()]
        parser = OverridesParser.create(config_loader=hydra.config_loader)
        return cfg, parser.parse_overrides([*given, *cfg.hydra.overrides.task])


def _grid(overrides: list[Any]) -> tuple[tuple[str, ...], ...]:
    """Return the overrides of every job, as Hydra's own sweeper forms them; one that is asked for twice is one job."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    jobs = (tuple(job) for batch in BasicSweeper.split_arguments(overrides, None) for job in batch)
    return tuple(dict.fromkeys(jobs))


def _at_once(cfg: DictConfig) -> int:
    """How many jobs the launcher runs together, by whatever name it has for that."""
    for key in ("hydra.launcher.n_jobs", "hydra.launcher.ray.init.num_cpus", "hydra.launcher.array_parallelism"):
        value = OmegaConf.select(cfg, key)
        if value is not None:
            return int(value) if int(value) > 0 else cores()
    return int(cfg.jobs.at_once)
