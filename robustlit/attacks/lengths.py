"""Lengths in pixels as people write them, 8/255: read and written."""

import math
from collections.abc import Iterable
from numbers import Real

__all__ = ["as_length", "as_lengths", "eps_words"]


def as_length(name: str, value: object) -> float:
    """Return a length; from a configuration it may come as a text, "8/255".

    Args:
        name: What the length is called, for the error.
        value: A number, or a text with a number or a fraction.

    Raises:
        TypeError: If it is neither a number nor a text.
        ValueError: If the text is no number.

    Example:
        >>> as_length("eps", "8/255") == 8 / 255, as_length("eps", "0.5"), as_length("eps", 1)
        (True, 0.5, 1.0)
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise TypeError(f"expected {name} a number, got {type(value).__name__}; try {name}=8/255")
    above, slash, below = value.partition("/")
    try:
        found = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        found = math.nan
    if math.isnan(found):
        raise ValueError(f"expected {name} a number, got {value!r}; try {name}=8/255")
    return found


def as_lengths(name: str, values: Iterable[object] | float | str) -> tuple[float, ...]:
    """Return lengths, also of a single one.

    Args:
        name: What they are called, for the error.
        values: Lengths as :func:`as_length` reads them, or one of them.

    Raises:
        TypeError: If something is neither a number nor a text.
        ValueError: If a text is no number.

    Example:
        >>> as_lengths("eps", "1/4"), as_lengths("eps", ["1/4", 0.5])
        ((0.25,), (0.25, 0.5))
    """
    several = values if isinstance(values, Iterable) and not isinstance(values, str) else (values,)
    return tuple(as_length(name, value) for value in several)


def eps_words(eps: float) -> str:
    """Return an eps as people write it.

    Example:
        >>> eps_words(8 / 255), eps_words(0.2), eps_words(12.0), eps_words(0)
        ('8/255', '0.2', '12', '0')
    """
    steps = eps * 255
    whole = eps < 0.5 and abs(steps - round(steps)) < 1e-4
    return f"{round(steps)}/255" if whole and round(steps) % 51 else f"{eps:.4g}"  # 51/255 is 0.2
