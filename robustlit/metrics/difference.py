"""The largest gap between groups, with an interval that knows it was picked as the largest."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import NamedTuple

from robustlit.metrics.cells import CellScore
from robustlit.metrics.interval import wilson
from robustlit.metrics.standard_errors import Z95

__all__ = ["Gap", "largest_gap", "rate_difference"]


class Gap(NamedTuple):
    """The gap between the best and the worst of some groups.

    Args:
        value: The difference of their scores, in [0, 1].
        low: Lower end of its interval; below 0 where the groups may as well be in the other order.
        high: Upper end.
        best: The group with the highest score.
        worst: The one with the lowest.
        pairs: Number of pairs of groups that the interval allows for.
    """

    value: float
    low: float
    high: float
    best: str
    worst: str
    pairs: int


def largest_gap(groups: Mapping[str, CellScore], *, rates: bool) -> Gap | None:
    """Return the gap between the groups with the highest and the lowest score; None with fewer than two.

    The extremes of many groups lie apart by chance alone. So the interval is simultaneous: with 95 % it is right for
    every pair of groups at once (Bonferroni), and therefore for the pair that turned out farthest apart.

    Args:
        groups: The groups' scores; those that are not numbers are left out.
        rates: Whether the scores are shares of independent images, for which the interval is Newcombe's (Statistics in
            Medicine 1998, method 10); else it is that of the normal distribution, from the scores' own intervals.

    Example:
        >>> groups = {"a": CellScore(0.7, 80, 0.0, 1.0), "b": CellScore(0.6, 80, 0.0, 1.0)}
        >>> gap = largest_gap(groups, rates=True)
        >>> gap.best, gap.worst, round(gap.value, 3), gap.pairs
        ('a', 'b', 0.1, 1)
    """
    found = {name: one for name, one in groups.items() if not math.isnan(one.score)}
    if len(found) < 2:
        return None
    best = max(found, key=lambda name: found[name].score)
    worst = min((name for name in found if name != best), key=lambda name: found[name].score)
    pairs = len(found) * (len(found) - 1) // 2
    z = NormalDist().inv_cdf(1 - 0.025 / pairs) if pairs > 1 else Z95
    high, low = found[best], found[worst]
    if rates:
        counts = (round(high.score * high.n), high.n, round(low.score * low.n), low.n)
        ends = rate_difference(*counts, z)
    else:
        half = z * math.hypot(_error(high), _error(low))
        ends = (max(-1.0, high.score - low.score - half), min(1.0, high.score - low.score + half))
    return Gap(high.score - low.score, *ends, best, worst, pairs)


def rate_difference(first: int, n: int, second: int, m: int, z: float = Z95) -> tuple[float, float]:
    """Return the interval of the difference of two independent rates (Newcombe 1998, method 10).

    Args:
        first: Successes of the first group.
        n: Its trials.
        second: Successes of the second group.
        m: Its trials.
        z: Quantile of the standard normal distribution.

    Example:
        >>> [round(end, 4) for end in rate_difference(56, 70, 48, 80)]
        [0.0524, 0.3339]
    """
    one, other = first / n, second / m
    (low_one, high_one), (low_other, high_other) = wilson(first, n, z), wilson(second, m, z)
    difference = one - other
    return (
        difference - math.hypot(one - low_one, high_other - other),
        difference + math.hypot(high_one - one, other - low_other),
    )


def _error(one: CellScore) -> float:
    """The standard error behind an interval, of which one end may have been cut at 0 or 1."""
    return max(one.high - one.score, one.score - one.low) / Z95
