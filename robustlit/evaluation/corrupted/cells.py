"""A cell of a corruption benchmark: one corruption at one severity, and the conditions under which cells are made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from robustlit.core.random import sample_seeds
from robustlit.corruptions import Corruption, corrupt, corrupt_with_masks, resolve
from robustlit.corruptions.corrupt import AnyCorruption, Storage
from robustlit.corruptions.presets import choose_preset
from robustlit.corruptions.severity import SEVERITIES, Severity
from robustlit.metrics.cells import Cell

__all__ = ["Conditions", "CorruptionCell", "cells_of"]


@dataclass(frozen=True)
class CorruptionCell:
    """One corruption at one severity.

    Args:
        corruption: The corruption.
        severity: 1 to 5.
    """

    corruption: Corruption
    severity: Severity

    @property
    def key(self) -> Cell:
        """The label and the severity, under which scores are kept."""
        return (self.corruption.label, self.severity)


def cells_of(
    corruptions: Iterable[AnyCorruption], severities: Sequence[Severity] = SEVERITIES
) -> tuple[CorruptionCell, ...]:
    """Return every corruption at every severity.

    Args:
        corruptions: Names, corruptions or functions.
        severities: 1 to 5.

    Raises:
        ValueError: For unknown names, severities that mean nothing, or one label twice.

    Example:
        >>> [cell.key for cell in cells_of(["fog"], (1, 5))]
        [('fog', 1), ('fog', 5)]
    """
    found = [resolve(corruption) for corruption in corruptions]
    labels = [corruption.label for corruption in found]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ValueError(f"expected every corruption once, got {', '.join(sorted(twice))} twice; try other names")
    if len(set(severities)) != len(severities):
        raise ValueError(f"expected every severity once, got {list(severities)}; try [1, 2, 3, 4, 5]")
    for corruption in found:
        for severity in severities:
            corruption.level(corruption.presets()[0], severity)
    return tuple(CorruptionCell(corruption, severity) for corruption in found for severity in severities)


@dataclass(frozen=True)
class Conditions:
    """How cells are made; part of every result, because figures made otherwise are not comparable.

    Args:
        preset: The published table, or "auto" by the images' size.
        seed: Evaluation seed; draws depend on it, the corruption, the severity and the sample.
        storage: "jpeg85" for the JPEG files in which ImageNet-C is stored.
        move_masks: Whether masks move with the pixels of geometric corruptions; the benchmarks leave them.

    Raises:
        ValueError: For an unknown preset or storage.
    """

    preset: str = "auto"
    seed: int = 0
    storage: Storage = None
    move_masks: bool = False

    def __post_init__(self) -> None:
        choose_preset(self.preset, 224, 224)
        if self.storage not in (None, "jpeg85"):
            raise ValueError(f"expected storage 'jpeg85' or None, got {self.storage!r}; try storage=None")

    def check(self, cells: Iterable[CorruptionCell]) -> None:
        """Raise where a corruption has no table of the preset that was asked for."""
        for cell in cells if self.preset != "auto" else ():
            choose_preset(self.preset, 224, 224, cell.corruption.presets())

    def make(self, cell: CorruptionCell, images: Tensor, targets: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return corrupted images N×C×H×W and their targets.

        Args:
            cell: Which corruption.
            images: Float N×C×H×W in [0, 1].
            targets: N, N×K or N×H×W; moved only if they are masks and ``move_masks`` is on.
            ids: int64 of shape N, the samples' indices.
        """
        seeds = sample_seeds(self.seed, ids)
        # the gathering has looked at the images' values: no wait for a GPU in every cell
        settings = {"preset": self.preset, "seed": seeds, "storage": self.storage, "check": False}
        if self.move_masks and cell.corruption.geometric and targets.ndim >= 3:
            flat = targets.squeeze(1) if targets.ndim == 4 else targets
            changed, moved = corrupt_with_masks(images, flat, cell.corruption, cell.severity, **settings)  # type: ignore[arg-type]
            return changed, moved.view_as(targets)
        return corrupt(images, cell.corruption, cell.severity, **settings), targets  # type: ignore[arg-type]

    def describe(self, height: int, width: int) -> dict[str, str | int]:
        """Return the conditions as plain values, with the preset that images of this size get."""
        return {
            "preset": choose_preset(self.preset, height, width),
            "size": f"{height}×{width}",
            "evaluation_seed": self.seed,
            "storage": self.storage or "none",
            "masks": "moved" if self.move_masks else "as published",
        }
