"""Failures and warnings as the user sees them: one line on stderr; exit code 2 for their own, 1 for ours."""

import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = [
    "WARNING",
    "JobFailed",
    "Outcome",
    "UserError",
    "blame",
    "describe",
    "exit_code",
    "failing",
    "hydra_raises",
    "report",
    "warning_line",
    "warning_lines",
]

USER_ERRORS = (ValueError, TypeError, OSError, FloatingPointError, ImportError)
USERS_CHOICE = "ROBUSTLIT_FULL_ERROR"
WARNING = "robustlit: warning: "  # how the line of a warning begins; that of an error has no "warning: "
LIGHTNING_USER_ERROR = "MisconfigurationException"  # named, because importing Lightning costs seconds


class UserError(Exception):
    """Something that the user can put right, told in one line."""


class JobFailed(Exception):  # noqa: N818 (an outcome that has been reported, not an error to report)
    """One job of a sweep failed and has said so; Hydra needs an exception to count it.

    Args:
        code: The exit code the failure deserves.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Outcome:
    """How a command ended."""

    code: int = 0


@contextmanager
def failing() -> Iterator[Outcome]:
    """Run a block; print its failure, if any, as one line and keep the exit code."""
    outcome = Outcome()
    try:
        yield outcome
    except SystemExit as stop:
        outcome.code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except JobFailed as failure:
        outcome.code = failure.code
    except KeyboardInterrupt as stop:
        print(f"robustlit: {stop or 'interrupted'}", file=sys.stderr)
        outcome.code = 130
    except Exception as error:
        outcome.code = report(error)


def report(error: BaseException, job: str = "") -> int:
    """Print an error as one line on stderr, after its traceback where ``HYDRA_FULL_ERROR=1`` asks for it.

    Args:
        error: What was raised.
        job: Which job of a sweep raised it, if any.

    Returns:
        The exit code that goes with it.
    """
    if wants_traceback():
        traceback.print_exception(error)
    print(f"robustlit: {job}{describe(error)}", file=sys.stderr, flush=True)
    return exit_code(error)


def warning_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    r"""Write a warning as one line, for ``warnings.formatwarning``; where it is from only ``HYDRA_FULL_ERROR=1`` shows.

    Example:
        >>> warning_line("expected more,\n got less", UserWarning, "a.py", 3)
        'robustlit: warning: expected more, got less\n'
    """
    place = f" ({category.__name__} in {filename}:{lineno})" if wants_traceback() else ""
    return f"{WARNING}{' '.join(str(message).split())}{place}\n"


@contextmanager
def warning_lines() -> Iterator[None]:
    """Write warnings as :func:`warning_line` does while the block runs."""
    before = warnings.formatwarning
    warnings.formatwarning = warning_line
    try:
        yield
    finally:
        warnings.formatwarning = before


def exit_code(error: BaseException) -> int:
    """Return 2 for an error of the user's, 1 for anything else."""
    return 2 if _is_users(error) else 1


def describe(error: BaseException) -> str:
    r"""Return one line for an error: its root cause where Hydra wrapped it.

    Example:
        >>> describe(ValueError("expected 3 channels,\n got 1; try model.in_channels=1"))
        'expected 3 channels, got 1; try model.in_channels=1'
    """
    root = root_cause(error)
    kind, message = from_worker(str(root)) or (type(root).__name__, str(root))
    text = " ".join(message.split()) or kind
    if _is_users(error):
        return text
    return f"unexpected {kind}: {text[:300]}; set HYDRA_FULL_ERROR=1 to see where"


def from_worker(text: str) -> tuple[str, str] | None:
    r"""Return the type and message of an error that a DataLoader's worker sent as the text of its traceback.

    Example:
        >>> from_worker("Caught OSError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
        ...             '  File "a.py", line 1, in read\n    open(path)\nOSError: disk full\n')
        ('OSError', 'disk full')
    """
    if not re.match(r"Caught \w+ in DataLoader worker process", text):
        return None
    *_, last = text.split("Traceback (most recent call last):\n")
    raised = re.sub(r"\A(?:  .*\n)*", "", last)  # the frames are indented, the error is not
    kind, _, message = raised.partition(": ")
    return kind.strip().rpartition(".")[2], message.strip()


def wants_traceback() -> bool:
    """Whether the user set ``HYDRA_FULL_ERROR=1``, which we also set for Hydra, keeping their choice beside it."""
    return os.environ.get(USERS_CHOICE, os.environ.get("HYDRA_FULL_ERROR")) == "1"


@contextmanager
def hydra_raises() -> Iterator[None]:
    """Make Hydra raise instead of printing and exiting, in this process and in those it starts."""
    before = {key: os.environ.get(key) for key in ("HYDRA_FULL_ERROR", USERS_CHOICE)}
    os.environ[USERS_CHOICE] = "1" if wants_traceback() else "0"
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextmanager
def blame(setting: str) -> Iterator[None]:
    """Name the part of the configuration at fault in whatever user error the block raises.

    An experiment sets what its own network takes; chosen with another one, such a setting is too much, and has a hint.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or not _is_users(error):
            raise
        raise UserError(_too_much(setting, error) or f"{setting}: {describe(error)}") from error


def _too_much(setting: str, error: Exception) -> str:
    """What to do about a setting that the class or function chosen does not take; "" where it is another error."""
    found = re.search(r"\(\) got an unexpected keyword argument '(\w+)'", str(root_cause(error)))
    called = re.search(rf"target '([^']+)'.*full_key: {re.escape(setting)}\Z", str(error), re.DOTALL)  # Hydra's words
    if found is None or called is None:
        return ""
    key = f"{setting}.{found[1]}"
    return f"{key}: {called[1].rpartition('.')[2]} has no such setting; try ~{key}, which leaves it out"


def root_cause(error: BaseException) -> BaseException:
    """Follow Hydra's wrappers (``InstantiationException``) down to what a constructor really raised."""
    while type(error).__name__ == "InstantiationException" and error.__cause__ is not None:
        error = error.__cause__
    return error


def _is_users(error: BaseException) -> bool:
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    root = root_cause(error)
    users = (UserError, HydraException, OmegaConfBaseException, *USER_ERRORS)
    return isinstance(root, users) or type(root).__name__ == LIGHTNING_USER_ERROR
