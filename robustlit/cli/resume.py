"""``robustlit train resume=RUN``: reopen a run in its own folder, with the configuration that it was started with."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.claim import going_on
from robustlit.cli.config import is_first_process, run_hydra
from robustlit.cli.errors import UserError
from robustlit.cli.paths import make_absolute, program, short
from robustlit.cli.sweep_process import end_with_parent

__all__ = ["go_on", "resume", "task"]

HARMLESS = (
    "trainer.",
    "hydra.",
    "hydra/",
    "data.path=",
    "data.num_workers=",
)  # may differ from the saved configuration


def resume(folder: Path, arguments: Sequence[str]) -> None:
    """Continue a run from its last checkpoint.

    Args:
        folder: The run folder.
        arguments: Overrides of the Trainer, and of where the data are and who loads them.

    Raises:
        UserError: If there is no run in the folder, or another setting is to change.
    """
    end_with_parent()
    _check_run(folder)
    for word in arguments:
        if not word.lstrip("+~").startswith(HARMLESS):
            raise UserError(
                "resume: expected only trainer.KEY=VALUE, data.path=PATH or data.num_workers=N beside it, "
                f"got {word!r}; try a new run for that"
            )
    if _is_finished(folder, arguments):  # every process sees the same: the files change when all have joined the run
        if not is_first_process():
            return
        print(
            f"{short(folder)} is finished; try {program()} train resume={short(folder)} trainer.max_epochs=N to train "
            "it further",
            flush=True,
        )
        from robustlit.cli.run import print_results
        from robustlit.reports.results import Results

        print_results(Results.read(folder / "results.json"), folder)
        return
    own = [f"hydra.run.dir={json.dumps(str(folder.resolve()))}", "hydra.output_subdir=null", "hydra/job_logging=none"]
    run_hydra(task, "config", [*own, *arguments], folder.resolve())


def task(cfg: DictConfig) -> float | None:
    """Continue the run whose configuration this is."""
    from hydra.core.hydra_config import HydraConfig

    return go_on(cfg, Path(HydraConfig.get().runtime.output_dir))


def go_on(cfg: DictConfig, folder: Path) -> float | None:
    """Continue the run in a folder from its last checkpoint.

    Args:
        cfg: The configuration saved there.
        folder: The run folder.

    Returns:
        The run's headline figure.
    """
    OmegaConf.set_struct(cfg, False)
    make_absolute(cfg)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    found = checkpoint.is_file()
    if is_first_process():
        start = "from its last checkpoint" if found else "from the beginning, because it has no checkpoint yet"
        print(f"Resuming {cfg.names.model} on {cfg.names.data} {start}; run folder {short(folder)}", flush=True)
    with going_on(folder, new=False):
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
