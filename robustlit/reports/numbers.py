"""How figures are written in reports."""

import math

from robustlit.evaluation.base import Row

__all__ = ["is_share", "percent", "points", "score_text", "span", "words"]

_NO_SHARE = ("loss", "nll", "brier", "temperature", "mce")


def percent(value: float | None) -> str:
    """Write a share as percent.

    Example:
        >>> percent(0.8125), percent(None)
        ('81.2 %', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def points(value: float) -> str:
    """Write a difference of shares with its sign, in percentage points.

    Example:
        >>> points(0.051), points(-0.2)
        ('+5.1', '−20.0')
    """
    return f"{100 * value:+.1f}".replace("-", "−")


def span(low: float | None, high: float | None) -> str:
    """Write an interval of shares, in percent.

    Example:
        >>> span(0.79, 0.833), span(-0.021, 0.05), span(None, None)
        ('79.0–83.3', '−2.1 to 5.0', '')
    """
    if low is None or high is None:
        return ""
    between = " to " if low < 0 else "–"
    return f"{100 * low:.1f}{between}{100 * high:.1f}".replace("-", "−")


def is_share(metric: str) -> bool:
    """Whether a metric is a share, to be written in percent.

    Example:
        >>> is_share("accuracy/fog/3"), is_share("nll"), is_share("brier")
        (True, False, False)
    """
    return not any(part in metric.split("/")[0] for part in _NO_SHARE) or metric.startswith("mean_corruption")


def score_text(row: Row, *, interval: bool = False) -> str:
    """Write a figure: percent where it is a share, with its interval if wanted.

    Example:
        >>> score_text(Row("clean", "iid", "accuracy", 0.5, 0.4, 0.6, 90), interval=True)
        '50.0 % (40.0–60.0)'
    """
    if not is_share(row.metric):
        return f"{row.value:.3f}"
    ends = span(row.low, row.high) if interval else ""
    return f"{percent(row.value)} ({ends})" if ends else percent(row.value)


def words(name: str) -> str:
    """Write the name of a corruption or metric in plain words.

    Example:
        >>> words("gaussian_noise")
        'gaussian noise'
    """
    return name.replace("_", " ")
