"""Which images a model gets right, cell by cell, so that models can be compared on equal images."""

from collections.abc import Mapping

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core.adapter import TORCH_IGNORE, Task
from robustlit.core.logits import two_sided
from robustlit.evaluation.passes.visiting import from_all_processes
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import Cell

__all__ = ["Outcomes", "cell_words"]


class Outcomes:
    """Right or wrong, a byte an image and cell, for classification into one class.

    For labels and masks nothing is kept: the area under a curve and the mean IoU of a set are no means over images, so
    that a difference of two models could not be split among them.

    Args:
        names: What cells are called in the record; :func:`cell_words` for those that are not in it.

    Example:
        >>> outcomes = Outcomes()
        >>> outcomes.begin(torch.tensor([7, 3]))
        >>> outcomes.add(("fog", 2), torch.eye(2), torch.tensor([0, 0]), "classification", None)
        >>> outcomes.arrays()
        {'index': array([3, 7]), 'fog/2': array([False,  True])}
    """

    def __init__(self, names: Mapping[Cell, str] | None = None) -> None:
        self.names = dict(names or {})
        self._ids: list[Tensor] = []
        self._right: dict[Cell, list[Tensor]] = {}
        self._counted: list[Tensor] = []

    def begin(self, ids: Tensor) -> None:
        """Start with some images, int64 indices of shape N; every cell is then added once."""
        self._ids.append(ids)
        self._counted.append(torch.ones_like(ids, dtype=torch.bool))

    def add(self, cell: Cell, logits: Tensor, targets: Tensor, task: Task, ignore_index: int | None) -> None:
        """Note which of the images that began are right in a cell.

        Args:
            cell: The cell.
            logits: N×K; one logit z stands for two classes, (0, z). A NaN is a wrong answer.
            targets: N, or class probabilities N×K.
            task: Other tasks than "classification" are passed over.
            ignore_index: Targets of this value do not count; None for torch's -100.
        """
        if task != "classification" or not self._ids:
            return
        truth = targets.argmax(1) if targets.ndim == 2 else targets
        probabilities = two_sided(logits.detach().float()).softmax(1)  # what ties there are the figures have too
        said = probabilities.argmax(1)
        self._right.setdefault(cell, []).append((said == truth) & ~probabilities.isnan().any(1))
        self._counted[-1] &= truth != (TORCH_IGNORE if ignore_index is None else ignore_index)

    def arrays(self, trainer: pl.Trainer | None = None) -> dict[str, np.ndarray]:
        """Return the indices, in rising order, and an array a cell; those of all processes, the same on each.

        Cells that have not seen every image, because time ran out, are left out. An image that came twice counts once.
        """
        own = None
        if self._right:
            counted = torch.cat(self._counted).cpu().numpy()
            right = {cell: torch.cat(parts).cpu().numpy() for cell, parts in self._right.items()}
            own = (
                torch.cat(self._ids).cpu().numpy()[counted],
                {self._name(cell): flags[counted] for cell, flags in right.items() if len(flags) == len(counted)},
            )
        parts = [part for part in ([own] if trainer is None else from_all_processes(trainer, own)) if part]
        if not parts:
            return {}
        index, first = np.unique(np.concatenate([ids for ids, _ in parts]), return_index=True)
        cells = [name for name in parts[0][1] if all(name in flags for _, flags in parts)]
        return {"index": index, **{name: np.concatenate([flags[name] for _, flags in parts])[first] for name in cells}}

    def record(self, test: str, split: str, trainer: pl.Trainer) -> list[Record]:
        """Return the record, or nothing where there is none; every process has to ask."""
        arrays = self.arrays(trainer)
        return [Record(test, split, "outcomes", "", arrays)] if arrays else []

    def _name(self, cell: Cell) -> str:
        return self.names.get(cell) or cell_words(cell)


def cell_words(cell: Cell) -> str:
    """Return a cell as records name it.

    Example:
        >>> cell_words(("fog", 3)), cell_words(("clean", 0))
        ('fog/3', 'clean')
    """
    return f"{cell[0]}/{cell[1]:g}" if cell[1] else str(cell[0])
