"""Settings of augmentations that change over the epochs."""

from collections.abc import Iterator, Mapping

import pytorch_lightning as pl

from robustlit.augmentations import AugmentationOp
from robustlit.augmentations.schedules import Schedule, Value, check_value, restore_value, set_value, value_of
from robustlit.core.names import lookup

__all__ = ["AugmentationSchedules"]


class AugmentationSchedules:
    """Sets operations to an epoch's values, and back to what they were given with.

    Args:
        operations: By name.
        schedules: By name of the operation and of its setting.

    Raises:
        ValueError: If an operation or setting does not exist.
        TypeError: If something is no schedule.
    """

    def __init__(
        self, operations: Mapping[str, AugmentationOp], schedules: Mapping[str, Mapping[str, Schedule]]
    ) -> None:
        self._operations, self._schedules = operations, schedules
        self._given: dict[tuple[str, str], Value] = {}
        self._now: dict[tuple[str, str], float] = {}
        for name, setting, schedule in self._all():
            operation = lookup("augmentation in use", name, dict(operations))
            if not isinstance(schedule, Schedule):
                got = type(schedule).__name__
                raise TypeError(f"expected a schedule for {name}.{setting}, got {got}; try Linear(0.0, 1.0)")
            self._given[name, setting] = value_of(operation, setting)

    def check(self, epochs: int | None) -> None:
        """Raise now what would stop a training in a later epoch; without an end only its first is looked at.

        Args:
            epochs: How many there are; None or -1 where the training has no end.

        Raises:
            ValueError: If a value is out of its setting's range, or a schedule needs an end.
        """
        last = _last(epochs)
        for name, setting, schedule in self._all():
            for epoch in range(last or 1):
                check_value(self._operations[name], setting, schedule.at(epoch, last))

    def set(self, epoch: int, epochs: int | None) -> None:
        """Set the values of an epoch.

        Args:
            epoch: Which one, from 0.
            epochs: How many there are; None or -1 where the training has no end.
        """
        for name, setting, schedule in self._all():
            given = self._given[name, setting]
            value = schedule.at(epoch, _last(epochs))
            self._now[name, setting] = set_value(self._operations[name], setting, value, given)

    def log(self, pl_module: pl.LightningModule) -> None:
        """Log the values that are set."""
        for (name, setting), value in self._now.items():
            pl_module.log(f"train/augmentation/{name}/{setting}", float(value), sync_dist=True, rank_zero_only=True)

    def reset(self) -> None:
        """Set everything back."""
        for name, setting in self._now:
            restore_value(self._operations[name], setting, self._given[name, setting])
        self._now = {}

    def _all(self) -> Iterator[tuple[str, str, Schedule]]:
        for name, settings in self._schedules.items():
            for setting, schedule in settings.items():
                yield name, setting, schedule


def _last(epochs: int | None) -> int | None:
    return None if epochs is None or epochs < 0 else epochs
