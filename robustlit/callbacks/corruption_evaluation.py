"""Corruption robustness while training runs, for any LightningModule."""

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
from robustlit.corruptions.severity import SEVERITIES, Severity
from robustlit.evaluation.corrupted.cell_tally import CellTally
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell, cells_of
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.kept_images import KeptImages
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.families import KINDS, by_family
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
    for all, so differences between epochs are differences of the model. In ``trainer.test`` the keys begin with
    ``test/``.

    ================================================  ==================================================================
    key                                               meaning
    ================================================  ==================================================================
    ``robust/corruption/extra_mean``                  mean score over the monitored cells: the key to monitor
    ``robust/corruption/mean``                        mean score over the shown cells, after a full turn
    ``robust/corruption/clean``                       score of the same images as they are
    ``robust/corruption/<name>``                      mean score of one corruption over its severities
    ``robust/corruption/<family>_mean``               mean over the shown corruptions of noise, blur, weather, digital
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
        if not set(severities) & set(SEVERITIES):
            raise ValueError(f"expected a severity of 1, 2, 3, 4, 5 to take means of, got {list(severities)}; try [3]")
        self.conditions = Conditions(preset, seed, storage, move_masks)
        self.conditions.check((*self.monitored, *self.shown))
        self.rotate = min(rotate or len(self.shown), len(self.shown))
        self.max_seconds = max_seconds
        self.pictures = pictures
        self.latest: dict[Cell, CellScore] = {}
        self._next = 0
        self._turn: dict[Cell, float] = {}
        self._now: tuple[CorruptionCell, ...] = ()
        self._tally: CellTally
        self._examples = KeptImages(EXAMPLES)
        self._described = False

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Warn where figures would not be what they seem."""
        self._described = False
        warn_of_overlap(
            trainer,
            [cell.corruption.name for cell in self.monitored],
            [cell.corruption.name for cell in self.shown],
        )

    def begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the next shown cells; outside of fit, all of them."""
        self._now = self.shown
        if trainer.state.fn == "fit":
            self._turn = self._turn if self._next else {}
            end = self._next + self.rotate
            self._now = self.shown[self._next : end]
            self._next = end if end < len(self.shown) else 0
        cap = TimeCap(self.max_seconds, [cell.key for cell in self._now], self.images_here(trainer), pl_module.device)
        self._tally = CellTally((*self.monitored, *self._now), self.conditions, cap)
        self._examples = KeptImages(EXAMPLES)

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        """Score every cell on some images."""
        self._tally.look(trainer, pl_module, self.adapter_of(pl_module), chunk)
        self._examples.add(chunk)

    def finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather the scores of all processes, log them and draw."""
        found = self._tally.compute(trainer, pl_module, self.adapter_of(pl_module))
        if not found:
            return
        self.latest.update(found)
        for key, value in self._figures(found).items():
            # the processes agree; the largest of equal numbers is that number to the last bit
            pl_module.log(self.prefix(trainer) + key, value, sync_dist=True, reduce_fx="max")
        if self.pictures and trainer.is_global_zero and boards(trainer):
            self._draw(trainer, pl_module, found)
        self._examples = KeptImages(EXAMPLES)

    def state_dict(self) -> dict[str, Any]:
        """Return where the rotation is, in plain containers."""
        turn = [[label, severity, score] for (label, severity), score in self._turn.items()]
        return {"next": self._next, "turn": turn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the rotation, if it is still the same."""
        if state_dict["next"] % self.rotate == 0 and state_dict["next"] < len(self.shown):
            self._next = state_dict["next"]
            known = {cell.key for cell in self.shown}
            self._turn = {
                (label, severity): score for label, severity, score in state_dict["turn"] if (label, severity) in known
            }

    def _figures(self, found: Mapping[Cell, CellScore]) -> dict[str, float]:
        """The keys and values of one evaluation; a mean that is not a number is shown to whoever monitors it."""
        scores = {cell: score.score for cell, score in found.items()}
        clean = scores[CLEAN]
        figures = {"clean": clean}
        if self.monitored:
            monitored = {cell.key: scores[cell.key] for cell in self.monitored}
            errors = {cell.key: found[cell.key].calibration_error for cell in self.monitored}
            figures |= corruption_means(monitored)
            figures |= {"extra_mean": overall_mean(monitored), "extra_calibration_error": overall_mean(errors)}
        figures |= self._shown_figures({cell.key: scores[cell.key] for cell in self._now if cell.key in scores})
        named = {f"robust/corruption/{name}": value for name, value in figures.items()}
        for mean, gap in (("extra_mean", "corruption_extra"), ("mean", "corruption")):
            if mean in figures:
                named[f"robust/gap/{gap}"] = clean - figures[mean]
        return named

    def _shown_figures(self, scores: dict[Cell, float]) -> dict[str, float]:
        """The shown cells: in a rotation by themselves, and in means once all of them have been evaluated."""
        if len(self._now) == len(self.shown):
            return self._means(scores)
        self._turn |= scores
        figures = {f"{label}/{severity:g}": score for (label, severity), score in scores.items()}
        return figures if self._next else figures | self._means(self._turn)

    def _means(self, scores: Mapping[Cell, float]) -> dict[str, float]:
        """The means of corruptions, families and all, of which every cell is there."""
        missing = {cell.key[0] for cell in self.shown if cell.key not in scores}
        means = corruption_means({cell: score for cell, score in scores.items() if cell[0] not in missing})
        figures = dict(means)
        for family, labels in by_family({cell.key[0] for cell in self.shown}).items():
            if family in KINDS and not missing & set(labels):
                figures[f"{family}_mean"] = sum(means[label] for label in labels) / len(labels)
        return figures if missing or not means else {**figures, "mean": overall_mean(scores)}

    def _draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, found: Mapping[Cell, CellScore]) -> None:
        """Draw every cell's latest score and the worst cells of this evaluation."""
        example = self._examples.chunk
        if example is None:  # the first process had no image
            return
        cells = (*self.monitored, *self.shown)
        known = [CLEAN, *(cell.key for cell in cells)]
        latest = {key: self.latest[key].score for key in known if key in self.latest}
        scores = {cell: score.score for cell, score in found.items()}
        note = provenance(self.conditions, cells, example.images, found[CLEAN].n, str(trainer.precision))
        epoch = f"epoch {trainer.current_epoch}"
        prefix, adapter = self.prefix(trainer), self.adapter_of(pl_module)
        add_score_pictures(trainer, latest, f"{epoch} · score under corruption", note, prefix)
        title = f"{epoch} · the worst cells"
        add_worst_cells(trainer, pl_module, adapter, cells, scores, self.conditions, example, title, prefix)
        if not self._described:
            self._described = True
            for logger in boards(trainer):
                logger.experiment.add_text(f"{prefix}robust/corruption", self._conditions(note), trainer.global_step)

    def _conditions(self, note: str) -> str:
        """The provenance as a text card."""
        monitored = ", ".join(dict.fromkeys(cell.key[0] for cell in self.monitored)) or "none"
        shown = ", ".join(dict.fromkeys(cell.key[0] for cell in self.shown)) or "none"
        return f"{note}\n\nextra_mean, to select by: {monitored}\n\nmean, to look at: {shown}"
