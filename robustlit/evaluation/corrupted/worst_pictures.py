"""Pictures of what breaks a model: a few images that it gets right as they are, in the cells of its lowest scores."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.passes.answer_words import answer_words
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.kept_images import KeptImages
from robustlit.evaluation.passes.looking import looking
from robustlit.evaluation.passes.mistakes import flipped
from robustlit.evaluation.passes.outcomes import cell_words
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import CLEAN, Cell, CellScore
from robustlit.panels.example_pairs import example_pairs

__all__ = ["KEPT", "WorstPictures", "picture_record", "worst_of_each"]

KEPT = 64  # images, of which those are shown that break
_SHOWN = 6
_CELLS = 4


class WorstPictures:
    """Keeps some images of the first process, and draws them in the worst cells once these are known.

    Args:
        names: The class names.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = list(names)
        self._kept = KeptImages(KEPT)

    def keep(self, trainer: pl.Trainer, chunk: Chunk) -> None:
        """Keep some images of the whole split."""
        if trainer.is_global_zero:
            self._kept.add(chunk)

    def draw(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        adapter: Adapter,
        cells: Sequence[CorruptionCell],
        conditions: Conditions,
        scores: Mapping[Cell, CellScore],
    ) -> dict[Cell, Record]:
        """Return a picture for the lowest cell of each of the worst corruptions; nothing in other processes."""
        chunk = self._kept.chunk
        if chunk is None:
            return {}
        found: dict[Cell, Record] = {}
        with looking(trainer, module, adapter) as predict, torch.no_grad():
            before = predict(chunk.images)
            for cell in worst_of_each(cells, scores):
                images, targets = conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
                logits = predict(images)
                record = picture_record(
                    adapter, (chunk.images, images), (before, logits), targets, self.names, _caption(cell, scores)
                )
                found[cell.key] = Record("", "", "picture", cell_words(cell.key), record)
        return found


def worst_of_each(cells: Sequence[CorruptionCell], scores: Mapping[Cell, CellScore]) -> list[CorruptionCell]:
    """Return the cell of the lowest score of each corruption, for the few corruptions where it is lowest.

    Scores that are not numbers are no lowest ones.
    """
    known = {key: one.score for key, one in scores.items() if not math.isnan(one.score)}
    lowest: dict[str, CorruptionCell] = {}
    for cell in sorted((cell for cell in cells if cell.key in known), key=lambda cell: known[cell.key]):
        lowest.setdefault(cell.corruption.label, cell)
    return list(lowest.values())[:_CELLS]


def picture_record(
    adapter: Adapter,
    images: tuple[Tensor, Tensor],
    logits: tuple[Tensor, Tensor],
    targets: Tensor,
    names: Sequence[str],
    caption: str,
) -> dict[str, object]:
    """Return the data of a picture record: images that were right before and are wrong after come first.

    Args:
        adapter: Tells the task.
        images: Float N×C×H×W in [0, 1], before and after.
        logits: Of both.
        targets: As for the adapter.
        names: The class names.
        caption: What is seen.
    """
    order = flipped(adapter, *logits, targets).argsort(descending=True, stable=True)[:_SHOWN].cpu()
    truth, said = answer_words(adapter, logits[1], targets, names or None)
    picture = example_pairs(
        images[0].cpu()[order],
        images[1].cpu()[order],
        [truth[place] for place in order.tolist()],
        [said[place] for place in order.tolist()],
    )
    return {"image": np.asarray(picture), "caption": caption}


def _caption(cell: CorruptionCell, scores: Mapping[Cell, CellScore]) -> str:
    label, severity = cell.key
    score, clean = scores[cell.key], scores.get(CLEAN)
    before = "" if clean is None else f", clean {100 * clean.score:.1f} %"
    where = f"{label.replace('_', ' ')}, severity {severity:g}" if severity else label.replace("_", " ")
    return f"{where}: {100 * score.score:.1f} % of {score.n:,} images{before}"
