"""Schedules: how a setting of an augmentation (probability, strength, patch size) changes over the epochs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from robustlit.augmentations.base import AugmentationOp
from robustlit.core.names import lookup

__all__ = [
    "Constant",
    "Cosine",
    "Linear",
    "Schedule",
    "Step",
    "Value",
    "check_value",
    "restore_value",
    "set_value",
    "value_of",
]

Value = float | tuple[float, float]


class Schedule(ABC):
    """A number for every epoch; subclasses write ``at``.

    It goes by epochs, so that draws still depend on (seed, epoch, sample, operation) only, whatever the batch size.
    """

    @abstractmethod
    def at(self, epoch: int, epochs: int | None) -> float:
        """Return the value in an epoch, counted from 0.

        Args:
            epoch: Which one.
            epochs: How many the training has; None where it has no end.
        """


@dataclass(frozen=True)
class Constant(Schedule):
    """One value in all epochs.

    Args:
        value: The value.
    """

    value: float

    def at(self, epoch: int, epochs: int | None) -> float:
        """Return the value."""
        return self.value


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from the first epoch to the last.

    Args:
        start: Value in the first epoch.
        end: Value in the last one.
        epochs: How many epochs it takes; the value stays at ``end`` after them. All of the training unless given.

    Raises:
        ValueError: If ``epochs`` is below 1, or missing in a training without an end.

    Example:
        >>> [Linear(0.0, 1.0).at(epoch, 5) for epoch in range(5)]
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """

    start: float
    end: float
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"expected epochs of at least 1, got {self.epochs}; try epochs=10")

    def at(self, epoch: int, epochs: int | None) -> float:
        """Return the value on the way."""
        return self.start + (self.end - self.start) * self._way(self._done(epoch, epochs))

    def _way(self, done: float) -> float:
        return done

    def _done(self, epoch: int, epochs: int | None) -> float:
        last = self.epochs if self.epochs is not None else epochs
        if last is None:
            raise ValueError(f"expected epochs for {type(self).__name__} in a training without an end; try epochs=10")
        return min(1.0, epoch / max(1, last - 1))


class Cosine(Linear):
    """Half a wave of the cosine from the first epoch to the last: slow, fast, slow. Arguments are those of ``Linear``.

    Example:
        >>> [round(Cosine(0.0, 1.0).at(epoch, 5), 3) for epoch in range(5)]
        [0.0, 0.146, 0.5, 0.854, 1.0]
    """

    def _way(self, done: float) -> float:
        return (1 - math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class Step(Schedule):
    """One value after another.

    Args:
        values: The values, in their order.
        at_epochs: The epochs in which the second and every later one begins, ascending.

    Raises:
        ValueError: If there is not one value more than epochs, or the epochs do not ascend.

    Example:
        >>> [Step((0.1, 0.5), at_epochs=(2,)).at(epoch, 4) for epoch in range(4)]
        [0.1, 0.1, 0.5, 0.5]
    """

    values: Sequence[float]
    at_epochs: Sequence[int]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.at_epochs) + 1 or list(self.at_epochs) != sorted(set(self.at_epochs)):
            raise ValueError(
                f"expected ascending at_epochs and one value more, got {list(self.values)} at {list(self.at_epochs)}; "
                "try values=[0.1, 0.5] at_epochs=[5]"
            )

    def at(self, epoch: int, epochs: int | None) -> float:
        """Return the value that has begun last."""
        return self.values[sum(start <= epoch for start in self.at_epochs)]


def value_of(operation: AugmentationOp, name: str) -> Value:
    """Return a setting that a schedule may change.

    Raises:
        ValueError: If there is none of that name; the message has the nearest.
    """
    holder = _holder(operation, name)
    lookup(f"setting of {type(operation).__name__} that a schedule may change", name, holder.schedulable)
    value: Value = getattr(holder, name)
    return value


def set_value(operation: AugmentationOp, name: str, value: float, given: Value) -> float:
    """Change a setting; one whose least value is an integer is rounded, and of a range of draws the upper end changes.

    Args:
        operation: Whose.
        name: One of its class's ``schedulable``.
        value: The new value.
        given: What the setting was at first, which tells a range of draws from a number.

    Returns:
        The value as it is now.

    Raises:
        ValueError: If it is out of the setting's range.
    """
    check_value(operation, name, value)
    holder = _holder(operation, name)
    if isinstance(holder.schedulable[name][0], int):  # what was given tells nothing: a file may have 3 for 3.0
        value = round(value)
    new: Value = value
    if isinstance(given, tuple):
        new = (value, value) if given[0] == given[1] else (min(given[0], value), value)
    setattr(holder, name, new)
    return value


def check_value(operation: AugmentationOp, name: str, value: float) -> None:
    """Raise a ``ValueError`` if a value is out of the setting's range."""
    low, high = _holder(operation, name).schedulable[name]
    if not low <= value <= high:
        raise ValueError(
            f"expected {name} of {type(operation).__name__} in [{low:g}, {high:g}], got {value:g}; try {low:g}"
        )


def restore_value(operation: AugmentationOp, name: str, given: Value) -> None:
    """Set a setting back to what it was."""
    setattr(_holder(operation, name), name, given)


def _holder(operation: AugmentationOp, name: str) -> AugmentationOp:
    """Return whose attribute it is: ``StyleTransfer`` only stands in front of an operation."""
    inner = getattr(operation, "operation", operation)
    return operation if name == "p" or not isinstance(inner, AugmentationOp) else inner
