"""Error rates under corruption, cell by cell."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from robustlit.metrics.cells import CLEAN, Cell, check_cells, corruption_means, overall_mean, place_of
from robustlit.metrics.interval import wilson
from robustlit.metrics.mce import corruption_error, mean_ce, mean_relative_ce

__all__ = ["CellError", "CorruptionError", "CorruptionErrors"]


class CellError(NamedTuple):
    """Error rate of one cell.

    Args:
        error: In [0, 1].
        n: Number of images.
        low: Lower end of the 95 % interval (Wilson).
        high: Upper end.
    """

    error: float
    n: int
    low: float
    high: float


class CorruptionErrors(NamedTuple):
    """Error rates of a model under corruption.

    Args:
        cells: Error of every cell that has images.
        corruptions: Mean over whole severities, by corruption.
        mean: Mean corruption error: over severities, then over corruptions, not normalised.
        ce: CE, by corruption; None without a reference.
        mean_ce: Mean of CE; whether it is mCE, ``why_not_mce`` says. None without a reference.
        mean_relative_ce: Mean of relative CE; None without a reference's clean error.
    """

    cells: dict[Cell, CellError]
    corruptions: dict[str, float]
    mean: float
    ce: dict[str, float] | None = None
    mean_ce: float | None = None
    mean_relative_ce: float | None = None


class CorruptionError(Metric):
    """Error rate of every cell, their mean, and CE beside a reference model (Hendrycks and Dietterich, ICLR 2019).

    Two integers a cell are kept. Severities between the published ones are reported and enter no mean.

    Args:
        cells: The cells to measure, ``(corruption, severity)``; ``CLEAN`` for the uncorrupted images.
        reference: Mean error of a reference model by corruption, such as ``ALEXNET_ERRORS``. CE needs all five
            severities of a corruption.
        reference_clean_error: Its error on clean images, such as ``ALEXNET_CLEAN_ERROR``; relative CE needs it, and the
            cell ``CLEAN``.

    Raises:
        ValueError: If cells repeat, or an update is for another cell.

    Example:
        >>> metric = CorruptionError([("fog", 1), ("fog", 2)])
        >>> logits, targets = torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.tensor([0, 1])
        >>> metric.update(("fog", 1), logits.argmax(1) == targets)
        >>> metric.update(("fog", 2), torch.tensor([False, False, True]), valid=torch.tensor([True, True, False]))
        >>> result = metric.compute()
        >>> result.cells["fog", 1].error, result.cells["fog", 2].n, result.mean
        (0.5, 2, 0.75)
    """

    full_state_update = False
    higher_is_better = False
    wrong: Tensor
    images: Tensor

    def __init__(
        self,
        cells: Sequence[Cell],
        reference: Mapping[str, float] | None = None,
        reference_clean_error: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells = check_cells(cells)
        self.reference = reference
        self.reference_clean_error = reference_clean_error
        self._places = {cell: place for place, cell in enumerate(self.cells)}
        self.add_state("wrong", torch.zeros(len(self.cells), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros(len(self.cells), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, cell: Cell, correct: Tensor, valid: Tensor | None = None) -> None:
        """Count a batch of one cell.

        Args:
            cell: The cell that its images belong to.
            correct: Bool N, whether the prediction is right.
            valid: Bool N; False for what only fills the batch.
        """
        place = place_of(cell, self._places)
        wrong = ~correct.bool()
        self.wrong[place] += wrong.sum() if valid is None else (wrong & valid).sum()
        self.images[place] += correct.numel() if valid is None else valid.sum()

    def compute(self) -> CorruptionErrors:
        """Return the errors of the cells that have images, and their means."""
        counts = zip(self.cells, self.wrong.tolist(), self.images.tolist(), strict=True)
        cells = {cell: CellError(wrong / n, n, *wilson(wrong, n)) for cell, wrong, n in counts if n}
        errors = {cell: found.error for cell, found in cells.items()}
        result = CorruptionErrors(cells, corruption_means(errors), overall_mean(errors))
        if self.reference is None:
            return result
        result = result._replace(ce=corruption_error(errors, self.reference), mean_ce=mean_ce(errors, self.reference))
        if self.reference_clean_error is None or CLEAN not in errors:
            return result
        relative = mean_relative_ce(errors, errors[CLEAN], self.reference, self.reference_clean_error)
        return result._replace(mean_relative_ce=relative)
