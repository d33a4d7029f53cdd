"""Adversarial robustness while training runs, for any LightningModule."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

from robustlit.attacks import FGSM, PGD, Attack, BoundedAttack
from robustlit.attacks.lengths import as_lengths
from robustlit.callbacks.adversarial_actions import (
    OnAlarm,
    act,
    add_text,
    check_action,
    check_switchable,
    families_fired,
    tell,
)
from robustlit.callbacks.adversarial_alarms import AlarmWatch
from robustlit.callbacks.adversarial_defaults import usual_attacks
from robustlit.callbacks.adversarial_names import as_attack
from robustlit.callbacks.adversarial_pictures import Examples, add_attacked_images, add_eps_curve, attack_card
from robustlit.callbacks.budget import BudgetedEvaluation
from robustlit.callbacks.pictures import boards
from robustlit.core import Adapter
from robustlit.evaluation.attacked.adversarial_alarms import Alarms, Signal
from robustlit.evaluation.attacked.adversarial_names import attack_words, eps_key, named_attacks
from robustlit.evaluation.attacked.attack_tally import AttackTally, attack_cell, with_eps
from robustlit.evaluation.attacked.attacking import Precision, attacking, check_precision, precision_words
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.metrics.cells import CLEAN, Cell, CellScore

__all__ = ["AdversarialEvaluation"]

EXAMPLES = 8  # images in the picture
MOST_TRAINING_IMAGES = 512  # kept for the alarms where all validation images are evaluated
_CURVE = "eps curve"  # label of its cells


class AdversarialEvaluation(BudgetedEvaluation):
    """Attacks a module at every validation (and test), in one pass over the data, and raises alarms.

    It takes some of the images of every validation batch, which is on the device already, attacks them and looks at the
    module in a neutral scope: training goes on bit-identically to a run without this callback. The images and the
    random draws are the same in every epoch, run and number of processes. The score is accuracy for classes, AUROC for
    several labels, mean IoU for masks.

    These attacks are cheap and tell trends; their scores are upper bounds. Let a checkpoint be selected by one of them
    (``BestCheckpoint("robust/adversarial/pgd")``), and report others on the test split: ``AdversarialTest``,
    ``AutoAttackTest``. What each key stands for (norm, eps, steps, restarts, n, the score's 95 % interval) is on the
    text card ``robust/adversarial``. On the test split every key begins with ``test/``.

    =========================================  =========================================================================
    key                                        meaning
    =========================================  =========================================================================
    ``robust/adversarial/<attack>``            score under an attack
    ``robust/adversarial/clean``               score of the same images as they are
    ``robust/gap/adversarial_<attack>``        clean minus attacked
    ``robust/eps_curve/<eps>``                 score under the first PGD with another eps ("4of255")
    ``alarm/fgsm_pgd_gap``                     FGSM's score minus PGD's, of the same eps
    ``alarm/pgd_left_of_fgsm``                 PGD's score over FGSM's; none where FGSM's is 0
    ``alarm/pgd_left_of_best``                 PGD's score over its best so far, where a callback trains on attacks
    ``alarm/pgd_drop``                         how much PGD's score fell since the last evaluation
    ``alarm/gradient_alignment``               mean cosine of the gradients at an image and at a random one in its ball
    ``alarm/train_val_gap``                    PGD's score on training images minus that on validation images
    ``alarm/zero_gradients``                   share of images without any gradient
    ``alarm/black_box_gain``                   PGD's score minus that of Square, which sees no gradients
    ``alarm/large_eps_score``                  PGD's score where every image could become grey
    ``alarm/loss_growth``                      share by which PGD's loss is above FGSM's
    ``alarm/<alarm>_fired``                    1 where an alarm fires, else 0: ``catastrophic_overfitting``,
                                               ``robust_overfitting``, ``gradient_masking``; see ``Alarms``
    ``robust/adversarial_images`` (picture)    clean, change, attacked, and what the model says
    ``robust/eps_curve`` (picture)             score over eps, now and at the first evaluation
    ``alarm/<alarm>`` (text)                   a card when an alarm begins to fire, as the line in the log
    ``cost/adversarial_evaluation_seconds``    seconds of the epoch spent on it
    =========================================  =========================================================================

    Args:
        attacks: Attacks or their names ("fgsm"), or a mapping of names to them; by default FGSM and PGD with 10 steps
            (SegPGD for a module whose adapter says that it segments), at ``AdversarialTraining``'s eps, else at 8/255.
        images: How many images of the loader, chosen by a hash of their index; None for all.
        every_n_epochs: In fit, evaluate after every so many epochs.
        eps_curve: Further eps at which the first PGD (or else the last attack) is run; None for no curve.
        alarms: Whether there are alarms, or ``Alarms`` with other limits. They are for fit, and need a PGD.
        on_alarm: When training goes wrong, "warn" only; "stop" training (catastrophic or robust overfitting); or
            "switch" the attack of ``AdversarialTraining`` to PGD (catastrophic overfitting).
        max_seconds: Cap on an evaluation's time: what the alarms and the curve need beyond the attacks is left out
            where it does not fit, with a warning.
        precision: "32" attacks in float32 whatever the Trainer's precision; "trainer" attacks in that.
        seed: Evaluation seed of the draws; leave it alone to compare runs.
        batch_size: Images a forward; None for as many as the loader's batches have.
        pictures: Whether to draw.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        TypeError: If something is not an attack.
        ValueError: For names that cannot be told apart, alarms without a PGD, or numbers out of range.

    Example:
        >>> from robustlit.callbacks import BestCheckpoint
        >>> callbacks = [
        ...     AdversarialEvaluation([FGSM(eps=0.1), PGD(eps=0.1)], eps_curve=(0.025, 0.05, 0.2)),
        ...     BestCheckpoint("robust/adversarial/pgd", filename="best_robust"),
        ... ]
    """

    cost_key = "adversarial_evaluation_seconds"

    def __init__(
        self,
        attacks: Sequence[Attack | str] | Mapping[str, Attack | str] | None = None,
        *,
        images: int | None = 256,
        every_n_epochs: int = 1,
        eps_curve: Sequence[float] | float | None = None,
        alarms: bool | Alarms = True,
        on_alarm: OnAlarm = "warn",
        max_seconds: float | None = None,
        precision: Precision = "32",
        seed: int = 0,
        batch_size: int | None = None,
        pictures: bool = True,
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__(images, every_n_epochs, batch_size, adapter)
        if max_seconds is not None and max_seconds <= 0:
            raise ValueError(f"expected max_seconds > 0, got {max_seconds}; try None for no cap")
        self.eps_curve = () if eps_curve is None else as_lengths("eps_curve", eps_curve)
        self.limits = Alarms() if alarms is True else alarms or None
        self.on_alarm = check_action(on_alarm)
        if self.limits is None and self.on_alarm != "warn":
            raise ValueError(f"expected alarms with on_alarm={on_alarm!r}, got none; try alarms=True")
        self.max_seconds = max_seconds
        self.precision = check_precision(precision)
        self.seed = seed
        self.pictures = pictures
        self._usual = attacks is None
        self._take((FGSM(), PGD(steps=10)) if attacks is None else attacks)
        self._firing: set[str] = set()
        self._switched = False
        self._first_curve: dict[float, float] | None = None
        self._tally: AttackTally
        self._watching: AlarmWatch | None = None  # in fit
        self._examples: Examples | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take the attacks that suit task and training, where they were not chosen."""
        super().setup(trainer, pl_module, stage)
        if self._usual:
            usual = usual_attacks(trainer, self.adapter_of(pl_module).task in ("segmentation", "binary_segmentation"))
            if usual != tuple(self.attacks.values()):
                self._take(usual)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start gathering training images, and see whether there is an attack to switch."""
        if self._alarms is None:
            return
        if self._alarms.training is not None:
            self._alarms.training.begin()
        if self.on_alarm == "switch":
            check_switchable(trainer)
            if self._switched:  # before a resume
                act(trainer, "switch", "catastrophic_overfitting", self._alarms.pgd)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep some training images of the first epoch, as the loader gave them."""
        if self._alarms is not None and self._alarms.training is not None:
            with self._watch.running(pl_module.device):
                self._alarms.training.add(trainer, self.adapter_of(pl_module), batch)

    def begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Plan the cells."""
        self._watching = watch = self._alarms if trainer.state.fn == "fit" else None
        others = watch.cells if watch is not None else ()
        optional = [*self._curve_cells, *(watch.optional if watch is not None else ())]
        cap = TimeCap(self.max_seconds, optional, self.images_here(trainer), pl_module.device)
        attacks = {**self._cells, **self._curve_cells}
        self._tally = AttackTally(attacks, cap, seed=self.seed, others=others)
        drawing = self.pictures and trainer.is_global_zero and bool(boards(trainer))
        self._examples = Examples(EXAMPLES, (self.images_here(trainer) or 1) // self._chunk_size) if drawing else None
        if watch is not None:
            watch.begin()

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule, chunk: Chunk) -> None:
        """Attack some images."""
        adapter, watch = self.adapter_of(pl_module), self._watching
        examples = self._examples if self._examples is not None and self._examples.left else None
        keep = {CLEAN, self._shown} if examples is not None else set()
        with attacking(trainer, pl_module, adapter, self.precision) as predict:
            seen = self._tally.look(predict, adapter, chunk, keep | set(watch.probed if watch is not None else ()))
            if watch is not None:
                watch.look(predict, adapter, chunk, self._tally, seen)
        if examples is not None:
            examples.add(chunk.targets, seen[CLEAN], seen[self._shown])

    def finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather the scores of all processes, log them, judge and draw."""
        adapter, watch = self.adapter_of(pl_module), self._watching
        if watch is not None:
            with attacking(trainer, pl_module, adapter, self.precision) as predict:
                watch.look_at_training(predict, adapter, self._tally, self._chunk_size, pl_module.device)
        found = self._tally.compute(trainer, pl_module.device, adapter, self._tally.cap.dropped)
        if CLEAN not in found:
            return
        if self._tally.cap.dropped:
            rank_zero_warn(
                f"{len(self._tally.cap.dropped)} of {len(self._tally.cells)} cells did not fit into "
                f"max_seconds={self.max_seconds:g}, so they were left out; try fewer images or a larger max_seconds"
            )
        figures = self._figures(found)
        signals: list[Signal] = []
        if watch is not None:
            signals = watch.judge(trainer, watch.figures(trainer, pl_module.device, found))
            figures |= {f"alarm/{signal.name}": signal.value for signal in signals}
            figures |= {f"alarm/{family}_fired": float(fired) for family, fired in families_fired(signals).items()}
        for key, value in figures.items():
            if not math.isnan(value):
                # the processes agree; the largest of equal numbers is that number to the last bit
                pl_module.log(self.prefix(trainer) + key, value, sync_dist=True, reduce_fx="max")
        if watch is not None:
            self._raise_alarms(trainer, watch, signals, found[CLEAN].n)
        self._describe(trainer, pl_module, found)

    def state_dict(self) -> dict[str, Any]:
        """Return what later evaluations are compared with, in plain containers."""
        history = self._alarms.history if self._alarms is not None else (None, None)
        curve = None if self._first_curve is None else [[eps, score] for eps, score in self._first_curve.items()]
        return {"history": list(history), "firing": sorted(self._firing), "switched": self._switched, "curve": curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on comparing."""
        if self._alarms is not None:
            self._alarms.history = type(self._alarms.history)(*state_dict["history"])
        self._firing, self._switched = set(state_dict["firing"]), state_dict["switched"]
        self._first_curve = dict(state_dict["curve"]) if state_dict["curve"] else None

    @property
    def _chunk_size(self) -> int:
        return (self._gathering.batch_size if self._gathering is not None else None) or EXAMPLES

    def _take(self, attacks: Sequence[Attack | str] | Mapping[str, Attack | str]) -> None:
        """Make the cells of these attacks, and what watches them."""
        named = attacks if isinstance(attacks, Mapping) else None
        found = [as_attack(attack) for attack in (attacks if named is None else named.values())]
        self.attacks = named_attacks(found if named is None else dict(zip(named, found, strict=True)))
        self._cells = {attack_cell(name, attack): attack for name, attack in self.attacks.items()}
        kept = self.selection.count or MOST_TRAINING_IMAGES
        self._alarms = AlarmWatch(self._cells, self.limits, kept) if self.limits is not None else None
        strong = [cell for cell, attack in self._cells.items() if isinstance(attack, PGD)]
        self._shown = strong[0] if strong else list(self._cells)[-1]
        self._curve_cells: dict[Cell, Attack] = {}
        main = self._cells[self._shown]
        if self.eps_curve and not isinstance(main, BoundedAttack):
            raise ValueError("expected an attack with an eps for the curve, got none; try eps_curve=None")
        if isinstance(main, BoundedAttack):
            wanted = [eps for eps in dict.fromkeys(self.eps_curve) if eps not in (0, main.eps)]
            self._curve_cells = {(_CURVE, eps): with_eps(main, eps) for eps in wanted}

    def _figures(self, found: Mapping[Cell, CellScore]) -> dict[str, float]:
        """The keys and values of the scores."""
        clean = found[CLEAN].score
        figures = {"robust/adversarial/clean": clean}
        for cell in self._cells:
            if cell in found:
                figures[f"robust/adversarial/{cell[0]}"] = found[cell].score
                figures[f"robust/gap/adversarial_{cell[0]}"] = clean - found[cell].score
        figures |= {
            f"robust/eps_curve/{eps_key(cell[1])}": found[cell].score for cell in self._curve_cells if cell in found
        }
        return figures

    def _raise_alarms(self, trainer: pl.Trainer, watch: AlarmWatch, signals: Sequence[Signal], n: int) -> None:
        """Say so where an alarm begins to fire, and do what was asked for."""
        for family, fired in families_fired(signals).items():
            if fired and family not in self._firing:
                tell(trainer, family, signals, f"{attack_words(watch.pgd)}, n = {n}")
            if fired and act(trainer, self.on_alarm, family, watch.pgd):
                self._switched = self._switched or self.on_alarm == "switch"
            (self._firing.add if fired else self._firing.discard)(family)

    def _describe(self, trainer: pl.Trainer, pl_module: pl.LightningModule, found: Mapping[Cell, CellScore]) -> None:
        """Write what the keys stand for and the scores with their intervals, and draw."""
        prefix, attack = self.prefix(trainer), self._cells[self._shown]
        scores = {"clean": found[CLEAN], **{cell[0]: found[cell] for cell in self._cells if cell in found}}
        facts = f"evaluation seed {self.seed}, {precision_words(trainer, pl_module, self.precision)}"
        add_text(trainer, f"{prefix}robust/adversarial", attack_card(self.attacks, scores, facts, prefix))
        cells = (self._shown, *self._curve_cells)
        curve = {0: found[CLEAN].score, **{cell[1]: found[cell].score for cell in cells if cell in found}}
        first = curve if trainer.testing or self._first_curve is None else self._first_curve
        if not trainer.testing:
            self._first_curve = first
        if self._examples is not None and self._curve_cells:
            add_eps_curve(trainer, attack, curve, first, found[CLEAN].n, prefix)
        if self._examples is not None and (examples := self._examples.whole()) is not None:
            add_attacked_images(trainer, pl_module, self.adapter_of(pl_module), *examples, attack, prefix)
