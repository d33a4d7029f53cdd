"""One job of a sweep: skipped when it is finished, continued when it was stopped, and never the end of the others."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.claim import going_on
from robustlit.cli.devices import gpus, threads_of_a_job
from robustlit.cli.errors import UserError, report
from robustlit.cli.job_files import JobFiles
from robustlit.cli.locks import hold, is_held, take_place
from robustlit.cli.new_run import prepare, start
from robustlit.cli.sweep_process import INTERRUPTED, Stopped, environment, train_apart
from robustlit.reports.sweep_jobs import SWEEP_FILE, SweepJob, read_object

__all__ = ["LOCK_FILE", "Value", "check_objectives", "objectives", "run_job"]

Value = float | tuple[float, ...] | None
LOCK_FILE = ".lock"
HERE = "BasicLauncher"  # the jobs run one after another in the sweep's own process
LOCAL = ("JoblibLauncher", "LocalLauncher")  # on this machine, whose GPUs nobody else shares out
ON_THEIR_OWN = ("SlurmLauncher",)  # go on when the sweep's own process is gone
NEEDS = {"robust/corruption/": "corruption_evaluation", "robust/adversarial/": "adversarial_evaluation"}


def run_job(cfg: DictConfig) -> Value:
    """Run one job of a sweep in its folder, which Hydra names.

    A finished job is not run again. One that was stopped goes on from its last checkpoint. What goes wrong is written
    to ``failure.json`` and raises nothing, so that the other jobs go on; a search takes no figure for a failed trial.

    Args:
        cfg: The configuration as Hydra composed it.

    Returns:
        The figures that a search maximises; None where there are none.
    """
    from hydra.core.hydra_config import HydraConfig

    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    launcher = str(settings.launcher._target_).rpartition(".")[2]
    sweep = Path(settings.sweep.dir).resolve()
    job = JobFiles(folder, settings.job.num, list(settings.overrides.task))
    try:
        with hold(folder / LOCK_FILE) as lock, _place(cfg, sweep, launcher) as (place, held):
            if (folder / "results.json").is_file():
                return objectives(folder, list(cfg.objectives))
            if launcher == HERE:
                return _recorded(job, cfg, lambda: _train_here(cfg, folder), sweep)
            keep = [file.fileno() for file in (lock, held) if file is not None]
            surroundings = environment(*_share(cfg, sweep, launcher, place))
            stop = _stopper(sweep, launcher)
            return _recorded(job, cfg, lambda: _train_apart(cfg, folder, surroundings, keep, stop))
    except (Stopped, TimeoutError):
        if _stopper(sweep, launcher)():
            os._exit(INTERRUPTED)  # a pool's process would wait for ever for a sweep that is gone
        return None


def objectives(folder: Path, wanted: Sequence[str]) -> Value:
    """Return the validation figures of a finished run that a search maximises: one number, or a tuple of several.

    Args:
        folder: The run folder.
        wanted: Their keys; "headline" is the task's own.

    Raises:
        UserError: If one was not measured; a headline that is asked for alone may be missing.
    """
    results = read_object(folder / "results.json")
    found = results.get("validation", {})
    keys = [str(results.get("headline", "")) if name == "headline" else name for name in wanted]
    missing = [key for key in keys if found.get(key) is None]
    if missing and list(wanted) != ["headline"]:
        known = ", ".join(key for key in found if found[key] is not None)
        raise UserError(f"objectives: expected figures of the run, got {missing[0]!r}; try some of {known}")
    values = tuple(float(found[key]) for key in keys if key not in missing)
    return values if len(values) > 1 else next(iter(values), None)


def check_objectives(cfg: DictConfig) -> None:
    """Refuse to train for a figure that no callback measures.

    Raises:
        UserError: Which callback is missing.
    """
    for name in cfg.objectives:
        for prefix, callback in NEEDS.items():
            if name.startswith(prefix) and cfg.callbacks.get(callback) is None:
                raise UserError(
                    f"objectives: expected the callback {callback}, which measures {name}, got none; "
                    f"try callbacks=[default,{callback},best_robust]"
                )


def _recorded(job: JobFiles, cfg: DictConfig, train: Callable[[], None], sweep: Path | None = None) -> Value:
    """Train, write down how it went, and say so where the job prints for itself.

    Args:
        job: The job's files.
        cfg: Its configuration.
        train: Trains.
        sweep: The sweep's folder, if the job is to print how it went.
    """
    name = _name(job, sweep) if sweep else ""
    job.begin(cfg.trainer.get("max_epochs"))
    try:
        check_objectives(cfg)
        if sweep:
            print(f"\n{name}", flush=True)
        train()
        value = objectives(job.folder, list(cfg.objectives))
    except (KeyboardInterrupt, Stopped):
        raise
    except Exception as error:
        job.failed(error)
        if sweep:
            report(error, f"{name}: ")
        return None
    finally:
        job.end()
    return value


def _train_here(cfg: DictConfig, folder: Path) -> None:
    """Train in this process."""
    from robustlit.cli import resume

    if (folder / "config.yaml").is_file():
        resume.go_on(cast(DictConfig, OmegaConf.load(folder / "config.yaml")), folder)
    else:
        start(cfg, folder)


def _train_apart(
    cfg: DictConfig, folder: Path, surroundings: Mapping[str, str], keep: Sequence[int], stop: Callable[[], bool]
) -> None:
    """Take the folder, and train in a process of the job's own."""
    new = not (folder / "config.yaml").is_file()
    with going_on(folder, new=new):
        if new:
            OmegaConf.set_struct(cfg, False)
            cfg.callbacks.progress = None  # a bar that nobody watches would fill the log
            prepare(cfg, folder, silent=True)
        train_apart(folder, surroundings, keep, stop)


@contextmanager
def _place(cfg: DictConfig, sweep: Path, launcher: str) -> Iterator[tuple[int, IO[str] | None]]:
    """Wait for one of the places on this machine, where nobody else counts the jobs."""
    if launcher in LOCAL:
        with take_place(sweep / ".places", max(1, cfg.jobs.at_once), _stopper(sweep, launcher)) as (place, file):
            yield place, file
    else:
        yield 0, None


def _share(cfg: DictConfig, sweep: Path, launcher: str, place: int) -> tuple[int, str | None]:
    """Return the CPU threads of a job and, of several GPUs, the one in its place."""
    together = int(read_object(sweep / SWEEP_FILE).get("at_once") or cfg.jobs.at_once)
    devices = gpus() if launcher in LOCAL else []
    gpu = devices[place % len(devices)] if len(devices) > 1 else None
    return int(cfg.jobs.threads or threads_of_a_job(together)), gpu


def _stopper(sweep: Path, launcher: str) -> Callable[[], bool]:
    """Tell whether the sweep's own process is gone, for jobs that are to end with it."""
    return lambda: launcher not in ON_THEIR_OWN and not is_held(sweep / LOCK_FILE)


def _name(job: JobFiles, sweep: Path) -> str:
    """Return "job 2 of 8 (augmix seed 1)"."""
    record = read_object(sweep / SWEEP_FILE)
    return SweepJob(job.number, tuple(job.overrides)).name(record.get("differ", ()), record.get("total"))
