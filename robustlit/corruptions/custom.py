"""A user's own function in the place of a corruption."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.corruptions.base import Corruption, Draws, Level
from robustlit.corruptions.severity import Severity, check_severity

__all__ = ["CustomCorruption"]


@dataclass(frozen=True)
class Seeds(Draws):
    """The seeds themselves: the function draws what it needs.

    Args:
        seeds: int64 of shape N.
    """

    seeds: Tensor


class CustomCorruption(Corruption[Seeds]):
    """A function as a corruption.

    Args:
        function: ``(images, severity, seeds) -> images``; float32 N×C×H×W in [0, 1], a number from 1 to 5, and int64
            seeds of shape N for ``robustlit.core.random.uniform`` and ``normal``.
        name: Under which its results are recorded; the function's own name by default.

    Example:
        >>> darker = CustomCorruption(lambda images, severity, seeds: images * (1 - severity / 10), name="darker")
        >>> darker.name
        'darker'
    """

    continuous = True

    def __init__(self, function: Callable[[Tensor, Severity, Tensor], Tensor], name: str | None = None) -> None:
        self.function = function
        self.own_name = name or str(getattr(function, "__name__", type(function).__name__))

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name under which results are recorded."""
        return self.own_name

    def presets(self) -> tuple[str, ...]:
        """Return all presets: a function has one way for all."""
        return ("imagenet", "tiny", "cifar")

    def level(self, preset: str, severity: Severity) -> Level:
        """Return the severity itself."""
        check_severity(self.name, severity, continuous=True)
        return (severity,)

    def sample(self, shape: torch.Size, seeds: Tensor, level: Level) -> Seeds:
        """Hand the seeds on."""
        return Seeds(seeds)

    def change(self, images: Tensor, draws: Seeds, level: Level) -> Tensor:
        """Call the function.

        Raises:
            TypeError: If it returns anything but a float32 tensor.
            ValueError: If it returns another shape.
        """
        changed = self.function(images, level[0], draws.seeds)
        if not isinstance(changed, Tensor) or changed.dtype != torch.float32:
            found = changed.dtype if isinstance(changed, Tensor) else type(changed).__name__
            raise TypeError(
                f"expected {self.name} to return a float32 tensor in [0, 1], got {found}; "
                "try computing with the tensors that it is given, and returning the result"
            )
        if changed.shape != images.shape:
            raise ValueError(
                f"expected {self.name} to return the shape {tuple(images.shape)}, got {tuple(changed.shape)}; "
                "try returning one image for each that came in"
            )
        return changed
