"""Conditions for families that were published for images of one size only, as C-bar was."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from torch import Tensor

from robustlit.corruptions.presets import nearest_preset
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell

__all__ = ["NearestTable"]


@dataclass(frozen=True)
class NearestTable(Conditions):
    """Conditions under which a corruption without a table of the preset has the one nearest in size."""

    def check(self, cells: Iterable[CorruptionCell]) -> None:
        """Every corruption has a nearest table."""

    def make(self, cell: CorruptionCell, images: Tensor, targets: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return corrupted images and their targets."""
        table = self.table(cell, images.shape[-2], images.shape[-1])
        return Conditions(**{**asdict(self), "preset": table}).make(cell, images, targets, ids)

    def table(self, cell: CorruptionCell, height: int, width: int) -> str:
        """Return the table that a cell has on images of a size."""
        return nearest_preset(self.preset, height, width, cell.corruption.presets())
