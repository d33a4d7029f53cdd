"""The pictures of a corruption evaluation: every cell, and what the worst ones look like."""

from collections.abc import Mapping, Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit import __version__
from robustlit.callbacks.pictures import add_picture, class_names
from robustlit.core import Adapter
from robustlit.evaluation.cells import Conditions, CorruptionCell
from robustlit.evaluation.gathering import Chunk
from robustlit.evaluation.looking import looking
from robustlit.metrics.cells import CLEAN, Cell, corruption_means
from robustlit.panels.curves import severity_curves
from robustlit.panels.example_cells import ExampleCell, worst_cells
from robustlit.panels.heat_map import heat_map
from robustlit.panels.radar import radar

__all__ = ["add_score_pictures", "add_worst_cells", "provenance"]

_WORST = 4


def add_score_pictures(
    trainer: pl.Trainer, scores: Mapping[Cell, float], title: str, note: str, prefix: str = ""
) -> None:
    """Draw the heat map, the curves over severities, and the radar over corruptions.

    Args:
        trainer: Whose TensorBoard gets the pictures.
        scores: The latest score of every cell, ``CLEAN`` among them.
        title: What was measured, when.
        note: The provenance.
        prefix: What the tags begin with.
    """
    clean = scores[CLEAN]
    table: dict[str, dict[int | float, float]] = {}
    for (label, severity), score in scores.items():
        if label != CLEAN[0]:
            table.setdefault(label, {})[severity] = score
    add_picture(trainer, f"{prefix}robust/heat_map", heat_map(table, f"{title} · clean {100 * clean:.0f} %", note))
    add_picture(trainer, f"{prefix}robust/severity_curves", severity_curves(table, clean, title, note))
    means = corruption_means(scores)
    if len(means) >= 3:
        add_picture(trainer, f"{prefix}robust/radar", radar(means, clean, title, note))


def add_worst_cells(
    trainer: pl.Trainer,
    pl_module: pl.LightningModule,
    adapter: Adapter,
    cells: Sequence[CorruptionCell],
    scores: Mapping[Cell, float],
    conditions: Conditions,
    chunk: Chunk,
    title: str,
    prefix: str = "",
) -> None:
    """Draw a few images clean and in the cells of the lowest scores, with what the model says of them."""
    worst = sorted((cell for cell in cells if cell.key in scores), key=lambda cell: scores[cell.key])[:_WORST]
    names = class_names(trainer, pl_module)
    examples = []
    with looking(trainer, pl_module, adapter) as predict:
        for cell in worst:
            images, targets = conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
            truth, said = _answers(adapter, predict(images), targets, names)
            score = scores[cell.key]
            examples.append(ExampleCell(cell.corruption.label, cell.severity, score, chunk.images, images, truth, said))
    add_picture(trainer, f"{prefix}robust/worst_cells", worst_cells(examples, title))


def provenance(conditions: Conditions, cells: Sequence[CorruptionCell], images: Tensor, n: int, precision: str) -> str:
    """Return what the figures must not be compared without, the most important first: a picture may cut the end."""
    facts = conditions.describe(images.shape[-2], images.shape[-1])
    labels = {cell.corruption.label for cell in cells}
    parts = [
        f"n = {n}",
        f"{facts['preset']} preset",
        "frost procedural" if "frost_procedural" in labels else "frost photographs" if "frost" in labels else "",
        "" if conditions.storage is None else conditions.storage,
        "masks moved" if conditions.move_masks else "",
        f"seed {conditions.seed}",
        f"{images.shape[-2]}x{images.shape[-1]}",
        precision,
        f"robustlit {__version__}",
    ]
    return " · ".join(filter(None, parts))


def _answers(
    adapter: Adapter, logits: Tensor, targets: Tensor, names: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """What is true and what the model says of each image, in words."""
    task = adapter.task_of(targets, logits)
    if task == "classification":
        truth = targets.argmax(1) if targets.ndim == 2 else targets
        return _named(truth, names), _named(logits.argmax(1), names)
    if task == "multilabel":
        right = ((logits > 0) == (targets > 0.5)).float().mean(1)
        return _shares(torch.ones_like(right), "labels"), _shares(right, "labels")
    truth = targets.squeeze(1) if targets.ndim == 4 else targets
    predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
    counted = (
        torch.ones_like(truth, dtype=torch.bool) if adapter.ignore_index is None else truth != adapter.ignore_index
    )
    right = ((predicted == truth) & counted).flatten(1).sum(1) / counted.flatten(1).sum(1).clamp(min=1)
    return _shares(torch.ones_like(right), "pixels"), _shares(right, "pixels")


def _named(classes: Tensor, names: Sequence[str] | None) -> list[str]:
    return [names[place] if names else f"class {place}" for place in classes.tolist()]


def _shares(right: Tensor, of: str) -> list[str]:
    return [f"{100 * share:.0f} % {of} right" for share in right.tolist()]
