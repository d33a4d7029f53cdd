"""Corruption robustness while training runs, for any LightningModule."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl

from robustlit.callbacks.budget import BudgetedEvaluation
from robustlit.callbacks.corruption_pictures import add_score_pictures, add_worst_cells, provenance
from robustlit.callbacks.held_out import warn_of_overlap
from robustlit.callbacks.pictures import boards
from robustlit.core import Adapter
from robustlit.corruptions import COMMON, EXTRA
from robustlit.corruptions.corrupt import AnyCorruption, Storage
from robustlit.corruptions.severity import Severity
from robustlit.evaluation.cell_tally import CellTally
from robustlit.evaluation.cells import Conditions, CorruptionCell, cells_of
from robustlit.evaluation.gathering import Chunk
from robustlit.evaluation.time_cap import TimeCap
from robustlit.metrics.cells import CLEAN, Cell, CellScore, corruption_means, overall_mean

__all__ = ["CorruptionEvaluation"]

EXAMPLES = 3  # images beside every worst cell


class CorruptionEvaluation(BudgetedEvaluation):
    """Evaluates a module on corrupted images at every validation (and test), in one pass over the data.

    It takes some of the images of every validation batch, which is on the device already, corrupts them and looks at
    the module in a neutral scope: training goes on bit-identically to a run without this callback. The images and the
    random draws are the same in every epoch, run and number of processes. The score is accuracy for classes, AUROC for
    several labels, mean IoU for masks.

    ``monitored`` is what checkpoints, EarlyStopping and sweeps may monitor (by default the four EXTRA corruptions); all
    its cells are evaluated every time. ``shown`` is for the eyes (by default the 15 COMMON ones), ``rotate`` cells
    at a time; its means are logged after a full turn. C-bar is best kept for the final evaluation. Images stay the same
    for all, so differences between epochs are differences of the model.

    ================================================  ==================================================================
    key                                               meaning
    ================================================  ==================================================================
    ``robust/corruption/extra_mean``                  mean score over the monitored cells: the key to monitor
    ``robust/corruption/mean``                        mean score over the shown cells, after a full turn
    ``robust/corruption/clean``                       score of the same images as they are
    ``robust/corruption/<name>``                      mean score of one corruption over its severities
    ``robust/corruption/<name>/<severity>``           score of one cell of a rotation
    ``robust/corruption/extra_calibration_error``     mean calibration error over the monitored cells
    ``robust/gap/corruption_extra``                   clean minus ``extra_mean``
    ``robust/gap/corruption``                         clean minus ``mean``
    ``robust/heat_map``, ``…curves``, ``…radar``      pictures: every cell, by severity, by corruption
    ``robust/worst_cells`` (picture)                  the worst cells, with images clean and corrupted
    ``cost/corruption_evaluation_seconds``            seconds of the epoch spent on it
    ================================================  ==================================================================

    Args:
        monitored: Names, corruptions or functions ``(images, severity, seeds) -> images``.
        shown: Likewise; may be empty.
        severities: 1 to 5.
        images: How many images of the loader, chosen by a hash of their index; None for all.
        every_n_epochs: In fit, evaluate after every so many epochs.
        rotate: Shown cells an evaluation; None for all of them every time.
        max_seconds: Cap on an evaluation's time: shown cells that do not fit are left out, with a warning.
        preset: "imagenet", "tiny", "cifar", or "auto" by the size of the images.
        seed: Evaluation seed of the draws; leave it alone to compare runs.
        storage: "jpeg85" for the JPEG step of ImageNet-C.
        move_masks: Whether masks move with the pixels of geometric corruptions; the published benchmarks leave them.
        batch_size: Images a forward; None for as many as the loader's batches have.
        pictures: Whether to draw.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        ValueError: For unknown names, severities that mean nothing, or numbers out of range.

    Example:
        >>> from robustlit.callbacks import BestCheckpoint
        >>> callbacks = [
        ...     CorruptionEvaluation(images=512),
        ...     BestCheckpoint("robust/corruption/extra_mean", filename="best_robust"),
        ... ]
    """

    cost_key = "corruption_evaluation_seconds"

    def __init__(
        self,
        monitored: Sequence[AnyCorruption] = EXTRA,
        shown: Sequence[AnyCorruption] = COMMON,
        *,
        severities: Sequence[Severity] = (1, 3, 5),
        images: int | None = 256,
        every_n_epochs: int = 1,
        rotate: int | None = 15,
        max_seconds: float | None = None,
        preset: str = "auto",
        seed: int = 0,
        storage: Storage = None,
        move_masks: bool = False,
        batch_size: int | None = None,
        pictures: bool = True,
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__(images, every_n_epochs, batch_size, adapter)
        if rotate is not None and rotate < 1:
            raise ValueError(f"expected rotate of at least 1, got {rotate}; try 15, or None for all cells every time")
        if max_seconds is not None and max_seconds <= 0:
            raise ValueError(f"expected max_seconds > 0, got {max_seconds}; try None for no cap")
        self.monitored = cells_of(monitored, severities)
        # by severity first, so that a rotation of 15 shows every common corruption at one severity
        self.shown = tuple(cell for severity in severities for cell in cells_of(shown, [severity]))
        cells_of([*monitored, *shown], [])  # no label twice
        self.conditions = Conditions(preset, seed, storage, move_masks)
        self.rotate = min(rotate or len(self.shown), len(self.shown))
        self.max_seconds = max_seconds
        self.pictures = pictures
        self.latest: dict[Cell, CellScore] = {}
        self._next = 0
        self._turn: dict[Cell, float] = {}
        self._now: tuple[CorruptionCell, ...] = ()
        self._tally: CellTally
        self._example: Chunk | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Warn where figures would not be what they seem."""
        warn_of_overlap(trainer, [cell.corruption.name for cell in (*self.monitored, *self.shown)])

    def begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the next shown cells."""
        fitting = trainer.state.fn == "fit"
        self._now = self.shown[self._next : self._next + self.rotate] if fitting else self.shown
        self._next = (self._next + self.rotate) % max(1, len(self.shown)) if fitting else self._next
        cap = TimeCap(self.max_seconds, [cell.key for cell in self._now], self.images_here(trainer), pl_module.device)
        self._tally = CellTally((*self.monitored, *self._now), self.conditions, cap)
        self._example = None

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        """Score every cell on some images."""
        self._tally.look(trainer, pl_module, self.adapter_of(pl_module), chunk)
        self._example = self._example or chunk[:EXAMPLES]

    def finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather the scores of all processes, log them and draw."""
        found = self._tally.compute(trainer, pl_module, self.adapter_of(pl_module))
        if not found:
            return
        self.latest.update(found)
        for key, value in self._figures(found).items():
            # the processes agree; the largest of equal numbers is that number to the last bit
            pl_module.log(key, value, sync_dist=True, reduce_fx="max")
        if self.pictures and trainer.is_global_zero and boards(trainer):
            self._draw(trainer, pl_module, found)

    def state_dict(self) -> dict[str, Any]:
        """Return where the rotation is, in plain containers."""
        turn = [[label, severity, score] for (label, severity), score in self._turn.items()]
        return {"next": self._next, "turn": turn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the rotation."""
        self._next = state_dict["next"] if state_dict["next"] < len(self.shown) else 0
        self._turn = {(label, severity): score for label, severity, score in state_dict["turn"]}

    def _figures(self, found: Mapping[Cell, CellScore]) -> dict[str, float]:
        """The keys and values of one evaluation."""
        scores = {cell: score.score for cell, score in found.items()}
        clean = scores[CLEAN]
        monitored = {cell.key: scores[cell.key] for cell in self.monitored}
        figures = {"clean": clean, **corruption_means(monitored), "extra_mean": overall_mean(monitored)}
        errors = {cell.key: found[cell.key].calibration_error for cell in self.monitored}
        figures["extra_calibration_error"] = overall_mean(errors)
        figures |= self._shown_figures({cell.key: scores[cell.key] for cell in self._now if cell.key in scores})
        named = {f"robust/corruption/{name}": value for name, value in figures.items()}
        for mean, gap in (("extra_mean", "corruption_extra"), ("mean", "corruption")):
            if mean in figures:
                named[f"robust/gap/{gap}"] = clean - figures[mean]
        return {key: value for key, value in named.items() if not math.isnan(value)}

    def _shown_figures(self, scores: dict[Cell, float]) -> dict[str, float]:
        """The shown cells: by themselves in a rotation, and in means once all of them have been evaluated."""
        rotating = len(self._now) < len(self.shown)
        self._turn = {**self._turn, **scores} if rotating else scores
        figures = {f"{label}/{severity:g}": score for (label, severity), score in scores.items() if rotating}
        if self._next == 0 or not rotating:
            wanted = {cell.key for cell in self.shown}
            missing = {label for label, _ in wanted - set(self._turn)}
            whole = {cell: score for cell, score in self._turn.items() if cell[0] not in missing}
            figures |= corruption_means(whole)
            if whole and not missing:
                figures["mean"] = overall_mean(whole)
            self._turn = {}
        return figures

    def _draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, found: Mapping[Cell, CellScore]) -> None:
        """Draw every cell's latest score, and the worst cells of this evaluation."""
        cells = (*self.monitored, *self.shown)
        known = [CLEAN, *(cell.key for cell in cells)]
        latest = {key: self.latest[key].score for key in known if key in self.latest}
        image = self._example.images if self._example is not None else None
        note = "" if image is None else provenance(self.conditions, image, found[CLEAN].n, str(trainer.precision))
        title = f"epoch {trainer.current_epoch} · score under corruption"
        add_score_pictures(trainer, latest, title, note)
        if self._example is not None:
            scores = {cell: score.score for cell, score in found.items()}
            add_worst_cells(
                trainer,
                pl_module,
                self.adapter_of(pl_module),
                cells,
                scores,
                self.conditions,
                self._example,
                f"epoch {trainer.current_epoch} · the worst cells",
            )
