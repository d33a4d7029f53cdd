"""Corruptions by kind, in the order in which they are listed and drawn."""

from collections.abc import Iterable

from robustlit.corruptions import BAR, COMMON, EXTRA

__all__ = ["FAMILIES", "by_family"]

# Hendrycks and Dietterich 2019 sort COMMON like this
FAMILIES = {
    "noise": COMMON[0:3],
    "blur": COMMON[3:7],
    "weather": COMMON[7:11],
    "digital": COMMON[11:15],
    "extra": EXTRA,
    "C-bar": BAR,
}
_LABELS = {"frost": ("frost", "frost_procedural")}


def by_family(labels: Iterable[str]) -> dict[str, list[str]]:
    """Sort labels into the families that they occur in; those of no family come last, as "other".

    ``frost_procedural``, frost without the published photographs, is among the weather where frost is.

    Example:
        >>> by_family(["fog", "mine", "speckle_noise", "snow"])
        {'weather': ['snow', 'fog'], 'extra': ['speckle_noise'], 'other': ['mine']}
    """
    left = dict.fromkeys(labels)
    found = {
        family: [label for name in names for label in _LABELS.get(name, (name,)) if label in left]
        for family, names in FAMILIES.items()
    }
    known = {name for names in found.values() for name in names}
    found["other"] = [name for name in left if name not in known]
    return {family: names for family, names in found.items() if names}
