"""Severities: 1 to 5, and what lies between two published levels."""

import math
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["SEVERITIES", "Severity", "check_severity", "interpolate", "severity_key"]

Severity: TypeAlias = int | float
SEVERITIES = (1, 2, 3, 4, 5)


def check_severity(name: str, severity: Severity, *, continuous: bool) -> None:
    """Raise unless the severity means something for this corruption.

    Raises:
        ValueError: If it lies outside 1 to 5, or between two levels of a corruption that is not continuous.

    Example:
        >>> check_severity("glass_blur", 2.5, continuous=False)
        Traceback (most recent call last):
        ...
        ValueError: expected a whole severity from 1 to 5 for glass_blur, got 2.5; try 2 or 3
    """
    if isinstance(severity, bool) or not isinstance(severity, int | float) or not 1 <= severity <= 5:
        raise ValueError(f"expected a severity from 1 to 5 for {name}, got {severity!r}; try severity=3")
    if not continuous and severity != int(severity):
        near = f"{math.floor(severity)} or {math.ceil(severity)}"
        raise ValueError(f"expected a whole severity from 1 to 5 for {name}, got {severity}; try {near}")


def interpolate(levels: Sequence[tuple[float, ...]], severity: Severity) -> tuple[float, ...]:
    """Return the level of a severity, linear between two published ones.

    Example:
        >>> interpolate([(1.0,), (2.0,), (4.0,), (5.0,), (6.0,)], 2.5)
        (3.0,)
    """
    below = math.floor(severity)
    low = levels[below - 1]
    if below == severity:
        return tuple(low)
    share = severity - below
    return tuple(a + share * (b - a) for a, b in zip(low, levels[below], strict=True))


def severity_key(severity: Severity) -> int:
    """Return the severity as an integer that random draws depend on; 3 and 3.0 are the same."""
    return round(severity * 1000)
