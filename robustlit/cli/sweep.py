"""``robustlit train -m …``: run a sweep, survive its failures, go on with it, and say in the end what came out."""

import json
import logging
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, nullcontext, suppress
from pathlib import Path

from robustlit.cli.config import run_hydra
from robustlit.cli.errors import UserError, describe
from robustlit.cli.locks import hold
from robustlit.cli.paths import program, short
from robustlit.cli.sweep_job import LOCK_FILE, run_job
from robustlit.cli.sweep_plan import Plan, make_plan, typed_words
from robustlit.cli.sweep_progress import progress
from robustlit.reports.files import write_json
from robustlit.reports.leaderboard import leaderboard, seed_table, varied
from robustlit.reports.sweep_jobs import JOB_FILE, SWEEP_FILE, SweepJob, read_jobs, read_object

__all__ = ["resume_sweep", "sweep"]

CHANGEABLE = ("sweep=", "jobs.", "hydra.launcher.")  # who runs the jobs changes no result
QUIET = ("hydra", "hydra_plugins", "optuna", "submitit")  # what they say is said here, or in failure.json


def sweep(arguments: Sequence[str]) -> None:
    """Run a sweep; the same words again go on with one that was stopped or had failures.

    Args:
        arguments: Overrides and flags. ``resume=null`` among them begins a new sweep in any case.

    Raises:
        UserError: If something is wrong before the start, or a job failed.
    """
    words = typed_words(arguments)
    plan = make_plan(words)
    anew = any(word.startswith("resume=") for word in arguments)
    known = None if anew else _unfinished(plan)
    if known is not None:
        counts = [job.state for job in read_jobs(known)].count("finished")
        print(
            f"Going on with {short(known)}, which the same command began ({counts} of {plan.total} jobs finished); "
            "resume=null begins anew",
            flush=True,
        )
    _run(plan, known or plan.folder)


def resume_sweep(folder: Path, arguments: Sequence[str]) -> None:
    """Go on with a sweep: finished jobs are skipped, stopped ones continued, failed ones tried again.

    Args:
        folder: The sweep's folder.
        arguments: Who runs the jobs from now on; nothing that changes a result.

    Raises:
        UserError: If another setting is to change, or a job failed.
    """
    for word in arguments:
        if not word.startswith(CHANGEABLE):
            raise UserError(
                f"resume: expected only sweep=NAME, jobs.KEY=VALUE or hydra.launcher.KEY=VALUE beside a sweep, "
                f"got {word!r}; try a new sweep for that"
            )
    record = read_object(folder / SWEEP_FILE)
    new = {word.partition("=")[0] for word in arguments}
    kept = [word for word in record["command"] if word.partition("=")[0] not in new]
    folder, place = folder.resolve(), Path(record["directory"])
    with chdir(place if place.is_dir() else Path.cwd()):  # paths among the words are as they were typed there
        _run(make_plan([*kept, *arguments]), folder, tuple(record["command"]))


def _run(plan: Plan, folder: Path, command: tuple[str, ...] | None = None) -> None:
    """Run what is left of a sweep, and tell what came out.

    Args:
        plan: The sweep.
        folder: Where it is kept.
        command: The words that began it, if those of the plan are others.
    """
    _make(folder)
    try:
        with hold(folder / LOCK_FILE, wait=False):
            record = {**plan.record(), "command": list(command or plan.words)}
            write_json(folder / SWEEP_FILE, record)
            how = "one after another" if plan.is_here else f"{min(plan.at_once, plan.total)} at once"
            print(f"Sweep of {plan.total} jobs, {how}; folder {short(folder)}", flush=True)
            for failure in folder.glob("*/failure.json"):  # these jobs are tried again
                failure.unlink()
            try:
                trouble = _launch(plan, folder)
            except UserError:
                _forget(folder)
                raise
            write_json(folder / SWEEP_FILE, {**record, "ended": time.time()})
    except BlockingIOError:
        process = read_object(folder / SWEEP_FILE).get("pid")
        watch = f"{program()} report {short(folder)} --watch"
        raise UserError(f"{short(folder)} is being run by process {process}; try {watch}") from None
    _tell(plan, folder, trouble)


def _make(folder: Path) -> None:
    """Make the sweep's folder.

    Raises:
        UserError: If that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"hydra.sweep.dir: cannot make the run folder: {error.strerror} ({error.filename}); try another folder"
        ) from error


def _forget(folder: Path) -> None:
    """Leave no trace of a sweep that was refused before its first job."""
    if next(folder.glob(f"*/{JOB_FILE}"), None) is None:
        for name in (SWEEP_FILE, LOCK_FILE, "multirun.yaml"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


def _launch(plan: Plan, folder: Path) -> str:
    """Let Hydra run the jobs; returns what went wrong with the launcher itself, if anything."""
    words = ["-m", *plan.words, f"hydra.sweep.dir={json.dumps(str(folder))}"]
    if plan.is_search:
        from robustlit.cli.sweep_search import go_on_searching

        settings = go_on_searching(plan, folder)
        if settings is None:
            return ""
        words += settings
    said = nullcontext() if plan.is_here else progress(folder, plan.total, plan.at_once)
    with _quiet(), said:
        try:
            run_hydra(run_job, "train", words)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted; try {program()} train resume={short(folder)}") from None
        except UserError:
            raise
        except Exception as error:
            _wait_for_the_others(folder)
            return describe(error)
    return ""


def _wait_for_the_others(folder: Path, interval: float = 1.0) -> None:
    """Wait for jobs that go on although the launcher has given up."""
    while any(job.state == "running" and _here(job) for job in read_jobs(folder)):
        time.sleep(interval)


def _here(job: SweepJob) -> bool:
    return job.folder is not None and read_object(job.folder / "job.json").get("host") == socket.gethostname()


def _tell(plan: Plan, folder: Path, trouble: str) -> None:
    """Print the tables.

    Raises:
        UserError: If a job did not finish; one line.
    """
    jobs = read_jobs(folder)
    width = shutil.get_terminal_size((120, 24)).columns
    print(f"\n{leaderboard(jobs, width)}\n")
    if any(job.state == "finished" for job in jobs):
        print(f"{seed_table(jobs, width)}\n")
    print(f"sweep folder {short(folder)}\nTensorBoard  {program()} tensorboard {short(folder)}")
    print(f"report       {program()} report {short(folder)}", flush=True)
    failed = [job for job in jobs if job.state == "failed"]
    keys = varied(jobs)
    open_jobs = [job for job in jobs if job.state != "finished"]
    if not open_jobs and not trouble:
        return
    if failed:
        first = failed[0]
        what = f"{len(failed)} of {plan.total} jobs failed, the first being {first.name(keys)}: {first.error}"
    else:
        what = f"{len(open_jobs)} of {plan.total} jobs did not finish" + (f": {trouble}" if trouble else "")
    raise UserError(f"{what}; try {program()} train resume={short(folder)}")


def _unfinished(plan: Plan) -> Path | None:
    """Return the folder of the sweep that the same words began, if it is not finished.

    Raises:
        UserError: If the folder asked for holds another sweep.
    """
    own = read_object(plan.folder / SWEEP_FILE)
    if own:
        if own.get("command") != list(plan.words):
            raise UserError(
                f"hydra.sweep.dir: {short(plan.folder)} holds another sweep; try another folder, or "
                f"resume={short(plan.folder)}"
            )
        return plan.folder
    for file in sorted(plan.folder.parent.glob(f"sweep-*/{SWEEP_FILE}"), reverse=True):
        record = read_object(file)
        if (record.get("command"), record.get("directory")) == (list(plan.words), str(Path.cwd())):
            jobs = read_jobs(file.parent)
            over = len(jobs) >= record.get("total", 0) and all(job.state == "finished" for job in jobs)
            return None if over else file.parent
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the launchers' and sweepers' own reports off the terminal."""
    before = {name: logging.getLogger(name).level for name in QUIET}
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
