"""Scores of attacks and of the worst of them, over the images of one test split."""

from collections.abc import Mapping, Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.attacks import Attack
from robustlit.attacks.losses import cross_entropy
from robustlit.attacks.problem import Problem
from robustlit.core import Adapter
from robustlit.evaluation.attacked.attack_tally import Attacked, AttackTally
from robustlit.evaluation.attacked.attacking import Precision, attacking, hard_targets
from robustlit.evaluation.corrupted.worst_pictures import KEPT, picture_record
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.kept_images import KeptImages
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.evaluation.passes.visiting import Visitor, from_all_processes
from robustlit.metrics.cells import CLEAN, Cell, CellScore
from robustlit.metrics.confusion import confusion_matrices
from robustlit.metrics.worst_case import worst_overlap

__all__ = ["AdversarialPass"]


class AdversarialPass(Visitor):
    """Attacks every image in every cell; ``scores`` has what was found, the same on every process.

    The worst of a group is chosen for every image. For classes and labels it is the attack that wins most labels, then
    the one of the largest loss. For masks it is chosen so that the mean IoU of all images is lowest, which needs the
    counts of every image: 2·K numbers an image and attack.

    Args:
        attacks: An attack a cell.
        groups: Cells to take the worst of, by the cell under which it is scored.
        seed: Evaluation seed.
        precision: "32" or "trainer".
        outcomes: Gets the answer to every image.
        shown: A cell of which the first process draws some images.
        names: The class names.
    """

    def __init__(
        self,
        attacks: Mapping[Cell, Attack],
        groups: Mapping[Cell, Sequence[Cell]],
        seed: int = 0,
        precision: Precision = "32",
        *,
        outcomes: Outcomes | None = None,
        shown: Cell | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.shown, self.names = shown, list(names)
        self.picture: dict[str, object] | None = None
        self._examples = KeptImages(KEPT)
        self.groups = dict(groups)
        self.precision: Precision = precision
        self.scores: dict[Cell, CellScore] = {}
        self._kept = {cell for group in groups.values() for cell in group}
        nothing: TimeCap[Cell] = TimeCap(None, (), None, torch.device("cpu"))
        self._tally = AttackTally(attacks, nothing, seed=seed, others=groups, outcomes=outcomes)
        self._counts: dict[Cell, list[tuple[Tensor, Tensor]]] = {cell: [] for cell in self._kept}
        self._ids: list[Tensor] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Attack some images."""
        with attacking(trainer, module, adapter, self.precision) as predict:
            drawn = (CLEAN, self.shown) if self.shown is not None and trainer.is_global_zero else ()
            seen = self._tally.look(predict, adapter, chunk, {*self._kept, *drawn})
        if drawn:
            clean, attacked = (seen[cell] for cell in drawn)
            targets = hard_targets(adapter, chunk.targets, clean.logits)
            self._examples.add(Chunk(torch.cat((clean.images, attacked.images), 1), targets, chunk.ids))
        seen = {cell: found for cell, found in seen.items() if cell in self._kept}
        if not seen:
            return
        logits = next(iter(seen.values())).logits
        targets = hard_targets(adapter, chunk.targets, logits)
        if adapter.task_of(targets, logits) in ("segmentation", "binary_segmentation"):
            for cell, found in seen.items():
                self._counts[cell].append(_pixel_counts(found.logits, targets, adapter.ignore_index))
            self._ids.append(chunk.ids.cpu())
            return
        for worst, group in self.groups.items():
            self._tally.update(adapter, worst, _worst_logits([seen[cell] for cell in group], targets), targets)

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Gather the scores of all processes, and draw."""
        self.picture = self._draw(trainer, module, adapter)
        self.scores = self._tally.compute(trainer, module.device, adapter)
        counts = {cell: _joined(pairs) for cell, pairs in self._counts.items() if pairs}
        ids = torch.cat(self._ids) if self._ids else torch.empty(0, dtype=torch.int64)
        parts = [part for part in from_all_processes(trainer, (ids, counts)) if len(part[0])]
        if not parts:
            return
        order = torch.cat([part[0] for part in parts]).argsort(stable=True)
        for worst, group in self.groups.items():
            hits, sums = (
                torch.stack([torch.cat([part[1][cell][side] for part in parts])[order] for cell in group])
                for side in (0, 1)
            )
            found = worst_overlap(hits, sums, adapter.ignore_index)
            self.scores[worst] = CellScore(found.score, self.scores[group[0]].n, found.low, found.high)

    def _draw(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> dict[str, object] | None:
        """Return the picture of what was kept: images and, in the channels behind, what an attack made of them."""
        kept = self._examples.chunk
        if kept is None:
            return None
        clean, attacked = kept.images.chunk(2, 1)
        with attacking(trainer, module, adapter, self.precision) as predict, torch.no_grad():
            logits = predict(clean), predict(attacked)
        return picture_record(adapter, (clean, attacked), logits, kept.targets, self.names, "")


def _worst_logits(found: Sequence[Attacked], targets: Tensor) -> Tensor:
    """Return, for every image, the logits of the attack that won most of its labels, then of the largest loss."""
    problems = [Problem(lambda _, logits=each.logits: logits, targets, cross_entropy) for each in found]  # type: ignore[misc]
    looks = [problem.look(each.images) for problem, each in zip(problems, found, strict=True)]
    won = torch.stack([problem.success(look.logits) for problem, look in zip(problems, looks, strict=True)])
    losses = torch.stack([look.losses for look in looks])
    contest = losses.masked_fill(won < won.amax(0), -torch.inf)
    return torch.stack([each.logits for each in found])[contest.argmax(0), torch.arange(len(targets))]


def _pixel_counts(logits: Tensor, targets: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor]:
    """Return, N×K each, the pixels of a class that are both true and predicted, and that are true plus predicted."""
    masks = (targets.squeeze(1) if targets.ndim == 4 else targets).long()
    predicted = logits.max(1).indices if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
    outside = -1  # in no class, so that it is not counted
    counted = masks if ignore_index is None else masks.where(masks != ignore_index, outside)
    confusions = confusion_matrices(predicted, counted, max(2, logits.shape[1]), outside)
    return confusions.diagonal(dim1=-2, dim2=-1).cpu(), (confusions.sum(-1) + confusions.sum(-2)).cpu()


def _joined(pairs: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([pair[0] for pair in pairs]), torch.cat([pair[1] for pair in pairs])
