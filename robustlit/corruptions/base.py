"""What every corruption is: a table of levels, draws made from seeds, and arithmetic on float32 pixels."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import torch
from torch import Tensor

from robustlit.corruptions.severity import Severity, check_severity, interpolate

__all__ = ["Corruption", "Draws", "Level"]

Level: TypeAlias = tuple[float, ...]
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Draws:
    """What was drawn for a batch; subclasses add per-sample tensors, the first axis being N."""


Drawn = TypeVar("Drawn", bound=Draws)


class Corruption(ABC, Generic[Drawn]):
    """Base of the corruptions: ``sample`` draws, ``change`` applies, and neither knows dtypes, chunks or rounding.

    A corruption is a value without state: calling it twice with the same images and seeds gives the same pixels. A
    user's own corruption subclasses this, gives ``name`` and ``levels``, and goes wherever a name goes.

    Attributes:
        name: The published name, which is also the name of its folder or file on disk.
        levels: The parameters of severities 1 to 5, by preset.
        continuous: Whether severities between two levels mean something.
        needs_color: Whether images of one channel are repeated to three, changed, and reduced to their luma (BT.601).
        geometric: Whether pixels move, so that masks can be warped with ``warp``.
    """

    name: ClassVar[str]
    levels: ClassVar[Mapping[str, Sequence[Level]]]
    continuous: ClassVar[bool] = False
    needs_color: ClassVar[bool] = False
    geometric: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The name under which results are recorded; it differs from ``name`` where the pixels do."""
        return self.name

    @abstractmethod
    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Drawn:
        """Draw for images of shape N×C×H×W from int64 seeds of shape N, on the seeds' device."""

    @abstractmethod
    def change(self, images: Tensor, draws: Drawn, level: Level) -> Tensor:
        """Return new float32 N×C×H×W from float32 images in [0, 1]; values outside [0, 1] are clipped afterwards."""

    def warp(self, masks: Tensor, draws: Drawn, level: Level) -> Tensor:
        """Move masks N×H×W of any dtype as the pixels moved, by nearest neighbour; the same masks where none move."""
        return masks

    def presets(self) -> tuple[str, ...]:
        """Return the presets that have a table."""
        return tuple(self.levels)

    def level(self, preset: str, severity: Severity) -> Level:
        """Return the parameters of one severity.

        Args:
            preset: One of ``presets()``.
            severity: 1 to 5; a number between two levels where the corruption is ``continuous``.

        Raises:
            ValueError: If the severity is out of range, or between two levels of a corruption that has none there.
        """
        check_severity(self.name, severity, continuous=self.continuous)
        return interpolate(self.levels[preset], severity)

    def apply(self, images: Tensor, draws: Any, level: Level) -> Tensor:
        """Apply draws to float32 images N×C×H×W in [0, 1] of one or three channels; returns values in [0, 1]."""
        return self.unclipped(images, draws, level).clamp(0, 1)

    def unclipped(self, images: Tensor, draws: Any, level: Level) -> Tensor:
        """Apply draws as ``apply`` does, and leave the clipping of values outside [0, 1] to whoever stores them."""
        if images.shape[1] == 1 and self.needs_color:
            changed = self.change(images.expand(-1, 3, -1, -1), draws, level).clamp(0, 1)
            red, green, blue = changed.unbind(1)
            return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue).unsqueeze(1)
        return self.change(images, draws, level)

    def shape_of_draws(self, shape: torch.Size) -> torch.Size:
        """Return the shape that ``sample`` is told: three channels where one channel is repeated to three."""
        return torch.Size((shape[0], 3, *shape[2:])) if self.needs_color and shape[1] == 1 else shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
