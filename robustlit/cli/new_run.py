"""A new run: its settings resolved and checked, its folder taken, trained."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.claim import claim, going_on
from robustlit.cli.config import is_first_process
from robustlit.cli.errors import UserError
from robustlit.cli.paths import make_absolute, short

__all__ = ["device_count", "prepare", "start"]


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
