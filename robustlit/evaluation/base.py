"""What a test of ``robustlit evaluate`` is, and what it returns."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["OTHER", "PUBLISHED", "VALIDATION", "Evaluation", "Row"]

VALIDATION = "val"  # the name of the validation split, where it is tested
OTHER = "other"  # the name of the split of figures on another data set
PUBLISHED = "published"  # the name of the split of figures on a corrupted set from disk


@dataclass(frozen=True)
class Row:
    """One figure of a test, never without the number of samples behind it.

    Args:
        test: Which test: "clean".
        split: Which test split.
        metric: "accuracy", "iou", …
        value: The figure.
        low: Lower end of its 95 % interval, where there is one.
        high: Upper end.
        n: Number of samples.
        conditions: What the figure must not be compared without: preset, severity, norm, eps, steps, … as plain values.
    """

    test: str
    split: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    conditions: dict[str, Any] = field(default_factory=dict)


class Evaluation(Protocol):
    """A test: measures a trained module on the test splits of a data module.

    One that keeps more than figures has a list ``records`` of :class:`~robustlit.evaluation.records.Record`, which
    ``run`` fills anew.
    """

    name: str

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured, "*" standing for any metric.

        Raises early what would stop :meth:`run` late.
        """
        ...

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure, leave the module as it was, and return the figures; the same list on every rank."""
        ...
