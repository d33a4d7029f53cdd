"""Run folders in: results, records, configuration and pictures of every run, and the failures of a sweep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from robustlit.evaluation.records import Record
from robustlit.reports.record_files import read_records
from robustlit.reports.results import Results, merged
from robustlit.reports.sweep_jobs import JOB_FILE, read_object

__all__ = ["CHECKPOINTS", "Failure", "Run", "find_runs", "load_run"]

CHECKPOINTS = ("best_robust", "best_clean", "last")  # the first that has the most figures is reported
_PICTURES = (".png",)


@dataclass(frozen=True)
class Run:
    """What a finished run left.

    Args:
        folder: Its folder.
        results: Its results, those of later evaluations among them.
        overrides: What was typed for it: key → value, without the seed.
        config: The resolved configuration; empty where there is none.
        name: What tells it from the other runs of a report: the end of its path, as long as need be.
    """

    folder: Path
    results: Results
    overrides: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @cached_property
    def records(self) -> dict[str, list[Record]]:
        """The records by checkpoint; of checkpoints that have figures."""
        return {name: found for name, found in read_records(self.folder).items() if name in self.results.tests}

    @property
    def pictures(self) -> list[Path]:
        """The files of :class:`~robustlit.callbacks.ExplanationPanels`, the history of single images left out."""
        folder = self.folder / "explanations"
        found = (path for path in sorted(folder.rglob("*")) if path.suffix in _PICTURES and path.is_file())
        return [path for path in found if "history" not in path.relative_to(folder).parts]

    def checkpoint(self, wanted: str | None = None) -> str:
        """Return the checkpoint to report.

        Raises:
            ValueError: If there are no figures of the one that is wanted, or none at all.
        """
        tests = {name: rows for name, rows in self.results.tests.items() if rows}
        if wanted is not None and wanted not in tests:
            known = " or ".join(tests) or "robustlit evaluate"
            raise ValueError(f"expected a checkpoint with figures in {self.folder}, got {wanted!r}; try {known}")
        if not tests:
            raise ValueError(f"expected figures in {self.folder}, got none; try robustlit evaluate {self.folder}")
        if wanted is not None:
            return wanted
        order = [*CHECKPOINTS, *tests]
        return max(tests, key=lambda name: (len({row.test for row in tests[name]}), -order.index(name)))


@dataclass(frozen=True)
class Failure:
    """A job of a sweep that failed.

    Args:
        folder: Its folder.
        error: The line that says why.
        overrides: What was typed for it, the seed among it.
    """

    folder: Path
    error: str
    overrides: dict[str, str] = field(default_factory=dict)


def find_runs(places: Sequence[Path]) -> tuple[list[Run], list[Failure]]:
    """Return the runs in some folders: a run folder is one, the folder of a sweep has one in each folder below.

    Raises:
        ValueError: If a folder does not exist, or has no finished run.
    """
    runs: dict[Path, Run] = {}
    failures: dict[Path, Failure] = {}
    for place in places:
        if not place.is_dir():
            raise ValueError(f"expected a run folder, got {str(place)!r}, which does not exist; try runs/NAME/TIME")
        folders = [place] if _is_run(place) else sorted(path.parent for path in _jobs(place))
        for folder in folders:
            failed = folder / "failure.json"
            if (folder / "results.json").is_file():  # also of a job that failed once and was tried again
                runs.setdefault(folder.resolve(), load_run(folder))
            elif failed.is_file():
                failures.setdefault(folder.resolve(), _failure(failed))
        if not any(folder.resolve() in runs or folder.resolve() in failures for folder in folders):
            raise _nothing(place)
    if not runs:
        raise ValueError(
            f"expected a finished run, got {len(failures)} that failed ({next(iter(failures.values())).error}); "
            "try again when one has finished"
        )
    names = _names(list(runs))
    return [replace(run, name=name) for run, name in zip(runs.values(), names, strict=True)], list(failures.values())


def load_run(folder: Path) -> Run:
    """Read a run.

    Raises:
        ValueError: If its results cannot be read.
    """
    results = Results.read(folder / "results.json")
    tests = {name: list(rows) for name, rows in results.tests.items()}
    for path in sorted((folder / "evaluations").glob("*.json")):
        weights = folder / "checkpoints" / f"{path.stem}.ckpt"
        if weights.is_file() and path.stat().st_mtime < weights.stat().st_mtime:
            continue  # figures of earlier weights
        later = Results.read(path)
        for name, rows in later.tests.items():
            tests[name] = merged(tests.get(name, []), rows)
    return Run(folder, replace(results, tests=tests), _overrides(folder), _config(folder))


def _names(folders: Sequence[Path]) -> list[str]:
    """The ends of some paths, as short as they can be told apart.

    Example:
        >>> _names([Path("/runs/a/12-00"), Path("/runs/b/12-00")])
        ['a/12-00', 'b/12-00']
    """
    for length in range(1, max(len(folder.parts) for folder in folders)):
        names = ["/".join(folder.parts[-length:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("results.json", "config.yaml", "failure.json"))


def _jobs(folder: Path) -> Iterable[Path]:
    """A file of every job below a folder, two levels deep: sweeps, or all runs of an experiment."""
    names = ("results.json", "failure.json")
    found = [path for name in names for depth in ("*", "*/*") for path in folder.glob(f"{depth}/{name}")]
    return {path.parent: path for path in found}.values()


def _nothing(place: Path) -> ValueError:
    if _is_run(place):
        return ValueError(
            f"expected a finished run in {str(place)!r}, got no results.json; try robustlit train resume={place}"
        )
    return ValueError(
        f"expected a run or a sweep with finished jobs in {str(place)!r}, got no results.json; try runs/NAME/TIME"
    )


def _failure(path: Path) -> Failure:
    error = str(read_object(path).get("error", ""))
    return Failure(path.parent, error or "no reason was written", _overrides(path.parent, seed=True))


def _overrides(folder: Path, *, seed: bool = False) -> dict[str, str]:
    from omegaconf import OmegaConf

    path = folder / ".hydra" / "overrides.yaml"
    if path.is_file():
        words = [str(word) for word in OmegaConf.load(path)]
    else:  # a job of a sweep that failed early
        words = [str(word) for word in read_object(folder / JOB_FILE).get("overrides", ())]
    pairs = [word.lstrip("+~").partition("=")[::2] for word in words if "=" in word]
    other = ("hydra", "jobs.", "sweep", *(() if seed else ("seed",)))
    return {key: value for key, value in pairs if not key.startswith(other)}


def _config(folder: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf

    for name in ("config.yaml", "evaluation.yaml"):
        if (folder / name).is_file():
            content = OmegaConf.to_container(OmegaConf.load(folder / name))
            return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
    return {}
