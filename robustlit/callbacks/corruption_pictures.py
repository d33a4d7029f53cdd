"""The pictures of a corruption evaluation: every cell, and what the worst ones look like."""

import math
from collections.abc import Mapping, Sequence

import pytorch_lightning as pl
from torch import Tensor

from robustlit import __version__
from robustlit.callbacks.pictures import add_picture, class_names
from robustlit.core import Adapter
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.passes.answer_words import answer_words
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.looking import looking
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
    known = [cell for cell in cells if not math.isnan(scores.get(cell.key, math.nan))]
    worst = sorted(known, key=lambda cell: scores[cell.key])[:_WORST]
    if not worst:
        return
    names = class_names(trainer, pl_module)
    examples = []
    with looking(trainer, pl_module, adapter) as predict:
        for cell in worst:
            images, targets = conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
            truth, said = answer_words(adapter, predict(images), targets, names)
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
