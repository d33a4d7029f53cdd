"""``robustlit train``: compose, say what will happen, and only then import what takes time."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.claim import claim, going_on
from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError
from robustlit.cli.paths import make_absolute, short
from robustlit.cli.sweep_plan import asks_for_a_sweep

__all__ = ["command", "device_count", "prepare", "start", "task"]


def command(arguments: Sequence[str]) -> None:
    """Train a new run, a sweep of runs, or go on with an old one."""
    resumed = [word.partition("=")[2] for word in arguments if word.startswith("resume=")]
    if resumed and resumed[-1] not in ("", "null"):
        folder, others = Path(resumed[-1]), [word for word in arguments if not word.startswith("resume=")]
        if (folder / "sweep.json").is_file():
            from robustlit.cli.sweep import resume_sweep

            resume_sweep(folder, others)
        else:
            from robustlit.cli.resume import resume

            resume(folder, others)
    elif asks_for_a_sweep(arguments):
        from robustlit.cli.sweep import sweep

        sweep(arguments)
    else:
        run_hydra(task, "train", arguments)


def task(cfg: DictConfig) -> float | tuple[float, ...] | None:
    """Train one new run, or a job of a sweep; returns what sweepers maximise."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    if settings.mode == RunMode.MULTIRUN:
        from robustlit.cli.sweep_job import run_job

        return run_job(cfg, folder)
    return start(cfg, folder)


def start(cfg: DictConfig, folder: Path) -> float | None:
    """Train a new run in its folder; returns its headline figure."""
    prepare(cfg, folder)
    with going_on(folder, new=is_first_process()):
        from robustlit.cli.run import train

        return train(cfg, folder)


def prepare(cfg: DictConfig, folder: Path, *, silent: bool = False) -> None:
    """Resolve a configuration in place, check what can be checked, and take the run folder.

    Args:
        cfg: The configuration as Hydra composed it.
        folder: The run folder.
        silent: Whether to say nothing of it.

    Raises:
        UserError: If a value is missing or wrong, or the folder holds a run.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise UserError(f"{missing[0]}: expected a value, got none; try {missing[0]}=VALUE")
    composed = cfg.copy()
    OmegaConf.resolve(cfg)
    OmegaConf.set_struct(cfg, False)
    make_absolute(cfg)
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        _check_one_process(cfg)
    epochs = _epochs(cfg)
    if is_first_process():
        claim(folder, composed, cfg)
    if is_first_process() and not silent:
        print(f"Training {cfg.names.model} on {cfg.names.data} ({epochs}); run folder {short(folder)}", flush=True)


def _check_one_process(cfg: DictConfig) -> None:
    """Refuse sweeps over several processes a job: every process would start the whole sweep again."""
    devices, strategy = cfg.trainer.get("devices", 1), str(cfg.trainer.get("strategy", "auto"))
    several = device_count(devices, cfg.trainer.get("accelerator", "auto")) != 1 or cfg.trainer.get("num_nodes", 1) != 1
    if several and not any(word in strategy for word in ("spawn", "fork", "notebook")):
        raise UserError(f"trainer.devices: expected 1 in a sweep, got {devices}; try trainer.devices=1")


def device_count(devices: int | str | Sequence[int], accelerator: str) -> int:
    """How many devices Lightning makes of a setting: a number, a list of devices, or all there are."""
    if str(devices) in ("auto", "-1"):
        import torch

        on_gpu = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
        return torch.cuda.device_count() if on_gpu else 1
    if isinstance(devices, str):
        listed = [word for word in devices.split(",") if word]
        return len(listed) if "," in devices or not devices.isdigit() else int(devices)
    return devices if isinstance(devices, int) else len(devices)


def _epochs(cfg: DictConfig) -> str:
    epochs = cfg.trainer.get("max_epochs")
    if not isinstance(epochs, int):
        raise UserError(f"trainer.max_epochs: expected a whole number, got {epochs!r}; try trainer.max_epochs=10")
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
