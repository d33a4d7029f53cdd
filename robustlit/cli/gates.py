"""Thresholds that make ``robustlit evaluate`` a gate: ``--fail-under KEY=VALUE`` and ``--fail-over KEY=VALUE``."""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from robustlit.cli.errors import UserError
from robustlit.evaluation.base import OTHER, PUBLISHED, Row

__all__ = ["OPTIONS", "Gate", "check_keys", "missed", "read_gates", "stop_where_missed"]

OPTIONS = {"--fail-under": "fail_under", "--fail-over": "fail_over"}
SMALLER_IS_BETTER = (
    "loss",
    "calibration_error",
    "adaptive_calibration_error",
    "classwise_calibration_error",
    "nll",
    "brier",
    "mean_corruption_error",
    "mce",
    "relative_mce",
    "gap",
    "changed",
    "alone",
    "fpr95",
)


@dataclass(frozen=True)
class Gate:
    """One threshold.

    Args:
        key: ``[<split>/]<test>/<metric>``; without a split, every split must hold it.
        bound: The threshold, which itself is good enough.
        over: Whether figures above it fail, rather than those below.
    """

    key: str
    bound: float
    over: bool = False

    def holds(self, value: float) -> bool:
        """Whether a figure is good enough; NaN never is."""
        return value <= self.bound if self.over else value >= self.bound

    @property
    def asked(self) -> str:
        """The threshold in words."""
        return f"expected at {'most' if self.over else 'least'} {self.bound:g}"


def read_gates(under: Iterable[str], over: Iterable[str]) -> list[Gate]:
    """Read what was written as KEY=VALUE.

    Raises:
        UserError: If something else is written, or the figure is one of which the other end is good.

    Example:
        >>> read_gates(["common/accuracy=0.6"], [])
        [Gate(key='common/accuracy', bound=0.6, over=False)]
    """
    both = [("--fail-under", word) for word in under] + [("--fail-over", word) for word in over]
    return [_gate(option, word) for option, word in both]


def check_keys(gates: Sequence[Gate], expected: Sequence[str], splits: Iterable[str]) -> None:
    """Stop before the work where a key can have no figure.

    Args:
        gates: The thresholds.
        expected: Keys of what will be measured; "<test>/*" where its metrics are not known before.
        splits: The splits that are tested.

    Raises:
        UserError: With the nearest key.
    """
    places = (*splits, PUBLISHED, OTHER)
    for gate in gates:
        first, _, rest = gate.key.partition("/")
        if not (_is_among(gate.key, expected) or (first in places and _is_among(rest, expected))):
            known = [key.replace("/*", "/accuracy") for key in expected]
            raise _unknown(gate, [*known, *(f"{place}/{key}" for place in places for key in known)])


def missed(gates: Sequence[Gate], rows: Sequence[Row], expected: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Return a line for every figure that is not good enough or not there.

    Args:
        gates: The thresholds.
        rows: What was measured.
        expected: As for :func:`check_keys`.
        splits: The splits that were tested.

    Raises:
        UserError: If a test has no metric of that name.
    """
    return [line for gate in gates for line in _missed(gate, rows, expected, splits)]


def stop_where_missed(lines: Sequence[str], *, printing: bool = True) -> None:
    """End the process with exit code 1 where there is a line, after printing all of them.

    Raises:
        SystemExit: Then.
    """
    if printing:
        for line in lines:
            print(f"robustlit: {line}", file=sys.stderr, flush=True)
    if lines:
        raise SystemExit(1)


def _gate(option: str, word: str) -> Gate:
    key, equals, text = word.rpartition("=")
    try:
        bound = float(text)
    except ValueError:
        bound = math.nan
    if not key or not equals or math.isnan(bound):
        raise UserError(f"{option}: expected KEY=NUMBER, got {word!r}; try {option} common/accuracy=0.6")
    smaller, over = any(part in SMALLER_IS_BETTER for part in key.split("/")), option == "--fail-over"
    if smaller != over:
        better, other = ("smaller", "--fail-over") if smaller else ("larger", "--fail-under")
        wanted = "larger" if smaller else "smaller"
        raise UserError(
            f"{option}: expected a figure of which {wanted} is better, got {key!r}, of which {better} is; "
            f"try {other} {word}"
        )
    return Gate(key, bound, over)


def _missed(gate: Gate, rows: Sequence[Row], expected: Sequence[str], splits: Sequence[str]) -> Iterator[str]:
    with_split = [row for row in rows if gate.key == _key(row)]
    found = with_split or [row for row in rows if gate.key == f"{row.test}/{row.metric}"]
    if not found and not any(gate.key == key or gate.key.endswith(f"/{key}") for key in expected):
        raise _unknown(gate, [name for row in rows for name in (f"{row.test}/{row.metric}", _key(row))])
    for row in found:
        if not gate.holds(row.value):
            interval = "" if row.low is None or row.high is None else f" ({row.low:.4f}–{row.high:.4f})"
            yield f"{_key(row)}: {gate.asked}, got {row.value:.4f}{interval}, n = {row.n:,}"
    if not found:
        yield f"{gate.key}: {gate.asked}, got no figure"
    elif not with_split:
        there = {row.split for row in found}
        wanted = splits if there & {*splits} else ()
        yield from (f"{split}/{gate.key}: {gate.asked}, got no figure" for split in wanted if split not in there)


def _key(row: Row) -> str:
    return f"{row.split}/{row.test}/{row.metric}"


def _is_among(key: str, expected: Iterable[str]) -> bool:
    return any(key == each or (each.endswith("/*") and key.startswith(each[:-1]) and key != each) for each in expected)


def _unknown(gate: Gate, known: Sequence[str]) -> UserError:
    option = "--fail-over" if gate.over else "--fail-under"
    near = get_close_matches(gate.key, dict.fromkeys(known), n=1, cutoff=0.0)
    hint = f"try {near[0]!r}" if near else "try another test"
    return UserError(f"{option}: expected the key of a figure that is measured, got {gate.key!r}; {hint}")
