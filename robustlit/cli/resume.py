"""``robustlit train resume=RUN``: reopen a run in its own folder, with the configuration that it was started with."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError

__all__ = ["resume", "task"]


def resume(folder: Path, arguments: Sequence[str]) -> None:
    """Continue a run from its last checkpoint.

    Args:
        folder: The run folder.
        arguments: Overrides; only those of the Trainer may differ from the saved configuration.

    Raises:
        UserError: If there is no run in the folder, or another setting is to change.
    """
    _check_run(folder)
    for word in arguments:
        if not word.lstrip("+~").startswith(("trainer.", "hydra.", "hydra/")):
            raise UserError(f"resume: expected only trainer.KEY=VALUE beside it, got {word!r}; try a new run for that")
    if _is_finished(folder, arguments):
        print(f"{folder} is finished; try trainer.max_epochs=N to train it further", flush=True)
        from robustlit.cli.run import print_results
        from robustlit.reports.results import Results

        print_results(Results.read(folder / "results.json"), folder)
        return
    own = [f"hydra.run.dir={json.dumps(str(folder.resolve()))}", "hydra.output_subdir=null", "hydra/job_logging=none"]
    run_hydra(task, "config", [*own, *arguments], folder.resolve())


def task(cfg: DictConfig) -> float | None:
    """Continue the run whose configuration this is."""
    from hydra.core.hydra_config import HydraConfig

    folder = Path(HydraConfig.get().runtime.output_dir)
    OmegaConf.set_struct(cfg, False)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    found = checkpoint.is_file()
    if is_first_process():
        start = "from its last checkpoint" if found else "from the beginning, because it has no checkpoint yet"
        print(f"Resuming {cfg.names.model} on {cfg.names.data} {start}; run folder {folder}", flush=True)
    from robustlit.cli.run import train

    return train(cfg, folder, resumed=True, checkpoint=checkpoint if found else None)


def _check_run(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(f"resume: expected a run folder, got {str(folder)!r}, which does not exist; try runs/NAME/TIME")
    if not (folder / "config.yaml").is_file():
        raise UserError(f"resume: expected a run in {str(folder)!r}, got no config.yaml there; try runs/NAME/TIME")


def _is_finished(folder: Path, arguments: Sequence[str]) -> bool:
    """Whether the run has its results and no more epochs are asked for than it was started with."""
    if not (folder / "results.json").is_file():
        return False
    saved = OmegaConf.load(folder / "config.yaml")
    asked = OmegaConf.from_dotlist([word.lstrip("+") for word in arguments if word.lstrip("+").startswith("trainer.")])
    before = OmegaConf.select(saved, "trainer.max_epochs")
    return bool(OmegaConf.select(asked, "trainer.max_epochs", default=before) == before)
