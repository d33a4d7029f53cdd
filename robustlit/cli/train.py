"""``robustlit train``: a new run, a sweep of runs, or one that goes on."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from robustlit.cli.config import run_hydra
from robustlit.cli.new_run import start
from robustlit.cli.sweep_plan import asks_for_a_sweep

__all__ = ["command"]


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
        run_hydra(_task, "train", arguments)


def _task(cfg: DictConfig) -> float | None:
    """Train a new run where Hydra says; returns its headline figure."""
    from hydra.core.hydra_config import HydraConfig

    return start(cfg, Path(HydraConfig.get().runtime.output_dir))
