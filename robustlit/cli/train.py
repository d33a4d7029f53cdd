"""``robustlit train``: compose, say what will happen, and only then import what takes time."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError

__all__ = ["command", "task"]


def command(arguments: Sequence[str]) -> None:
    """Train a new run, a sweep of runs, or go on with an old one."""
    resumed = [word.partition("=")[2] for word in arguments if word.startswith("resume=")]
    if resumed and resumed[-1] not in ("", "null"):
        from robustlit.cli.resume import resume

        resume(Path(resumed[-1]), [word for word in arguments if not word.startswith("resume=")])
    else:
        run_hydra(task, "train", arguments)


def task(cfg: DictConfig) -> float | None:
    """Train one new run; returns its headline figure, which sweepers maximise."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise UserError(f"{missing[0]}: expected a value, got none; try {missing[0]}=VALUE")
    OmegaConf.resolve(cfg)
    OmegaConf.set_struct(cfg, False)
    if settings.mode == RunMode.MULTIRUN:
        _check_one_process(cfg)
    if is_first_process():
        _claim(folder, cfg)
        print(
            f"Training {cfg.names.model} on {cfg.names.data} ({_epochs(cfg)}); run folder {_short(folder)}", flush=True
        )
    from robustlit.cli.run import train

    return train(cfg, folder)


def _claim(folder: Path, cfg: DictConfig) -> None:
    """Write the configuration, so that the run can be resumed whenever it is killed."""
    from robustlit.reports.files import write_text

    if (folder / "config.yaml").exists():
        raise UserError(
            f"hydra.run.dir: {_short(folder)} already holds a run; try resume={_short(folder)} or another name"
        )
    write_text(folder / "config.yaml", OmegaConf.to_yaml(cfg))


def _check_one_process(cfg: DictConfig) -> None:
    """Refuse sweeps over several processes a job: every process would start the whole sweep again."""
    devices, strategy = cfg.trainer.get("devices", 1), str(cfg.trainer.get("strategy", "auto"))
    several = str(devices) not in ("1", "auto") or cfg.trainer.get("num_nodes", 1) != 1
    if several and not any(word in strategy for word in ("spawn", "fork", "notebook")):
        raise UserError(f"trainer.devices: expected 1 in a sweep, got {devices}; try one device a job")


def _epochs(cfg: DictConfig) -> str:
    epochs = cfg.trainer.get("max_epochs")
    if not isinstance(epochs, int):
        raise UserError(f"trainer.max_epochs: expected a whole number, got {epochs!r}; try trainer.max_epochs=10")
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _short(folder: Path) -> str:
    """The folder as the user would type it from here."""
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)
