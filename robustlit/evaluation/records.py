"""What a test keeps beside its figures, for reports to draw: curves, bins, single outcomes, pictures, slices."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "Record"]

KINDS: dict[str, tuple[str, ...]] = {  # and what the data of each must have
    "reliability": ("confidence", "accuracy", "count", "ece"),
    "curve": ("x", "y", "x_label", "y_label", "title"),
    "outcomes": ("index",),
    "picture": ("image", "caption"),
    "slices": ("name", "n", "value", "low", "high"),
}
_LISTS = {
    "reliability": ("confidence", "accuracy", "count"),
    "curve": ("x", "y"),
    "slices": ("name", "n", "value", "low", "high"),
}


@dataclass(frozen=True)
class Record:
    """Something that a test keeps beside its rows; reports draw it.

    An evaluation that keeps any has a list ``records``, which ``run`` fills anew, alike on every process. The first
    process writes them into the run folder.

    ==============  ====================================================================================================
    kind            data
    ==============  ====================================================================================================
    "reliability"   "confidence", "accuracy", "count": a list each, an entry a bin (None where a bin is empty); "ece";
                    perhaps "temperature"
    "curve"         "x", "y": lists; "x_label", "y_label", "title"; perhaps "low", "high", and any plain values that the
                    curve must not be compared without
    "outcomes"      "index": int64 of shape N, the images' indices; and for every cell an array of shape N: bool for
                    right or wrong, float for a score of the image. Cells are "clean", "fog/3", "pgd_8of255"
    "picture"       "image": uint8 H×W×3; "caption": what is seen
    "slices"        "name", "n", "value", "low", "high": a list each; perhaps "column" and "metric"
    ==============  ====================================================================================================

    Args:
        test: Name of the test, as in its rows.
        split: Which test split.
        kind: One of ``KINDS``.
        name: Tells apart the records of one kind; "" where there is one.
        data: As the table says.

    Raises:
        ValueError: If the kind is unknown, something is missing in the data, or lists differ in length.

    Example:
        >>> Record("adversarial", "iid", "curve", "pgd", {"x": [0.0], "y": [0.9]})
        Traceback (most recent call last):
        ValueError: expected x_label, y_label, title in the data of the curve 'pgd', got x, y; try adding them
    """

    test: str
    split: str
    kind: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            from robustlit.core.names import unknown_name  # its package imports torch; reports read records without it

            raise unknown_name("kind of record", self.kind, KINDS)
        missing = [key for key in KINDS[self.kind] if key not in self.data]
        label = f"the {self.kind} {self.name!r}"
        if missing:
            raise ValueError(
                f"expected {', '.join(missing)} in the data of {label}, got {', '.join(self.data)}; try adding them"
            )
        keys = self._parallel()
        lengths = {key: len(self.data[key]) for key in keys}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"expected {', '.join(keys)} of one length in {label}, got {lengths}; try one entry each")

    def _parallel(self) -> tuple[str, ...]:
        return tuple(self.data) if self.kind == "outcomes" else _LISTS.get(self.kind, ())
