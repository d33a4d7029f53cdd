"""``robustlit report``: what breaks a model, as a page to take away; several runs beside each other."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import run_hydra
from robustlit.cli.errors import UserError
from robustlit.cli.paths import short
from robustlit.cli.suggest import parted

__all__ = ["command", "task"]


def command(arguments: Sequence[str]) -> None:
    """Write a report, or watch a sweep."""
    watching = "--watch" in arguments
    words, runs = parted([word for word in arguments if word != "--watch"])
    if not runs:
        raise UserError(
            "expected a run folder or the folder of a sweep, got neither; try 'robustlit report runs/NAME/TIME', or "
            "'robustlit report --help'"
        )
    if watching:
        if len(runs) > 1 or words:
            extra = (words or runs[1:])[0]
            raise UserError(f"--watch: expected one folder and nothing else, got {extra!r} too; try --watch {runs[0]}")
        from robustlit.reports.leaderboard import watch

        watch(Path(runs[0]))
        return
    run_hydra(task, "report", [f"runs={json.dumps([str(Path(run)) for run in runs])}", *words])


def task(cfg: DictConfig) -> None:
    """Write the report, and print the verdict and where the files are."""
    from robustlit.reports.report import check_formats, write_report

    OmegaConf.resolve(cfg)
    formats = [cfg.formats] if isinstance(cfg.formats, str) else list(cfg.formats)
    check_formats(formats)
    out = None if cfg.out is None else Path(cfg.out)
    written = write_report([Path(run) for run in cfg.runs], out, formats, cfg.checkpoint, cfg.split)
    print(written.title)
    for line in written.lines:
        print(f"  {line}")
    print(f"files        {', '.join(short(path.resolve()) for path in written.files)}", flush=True)
