"""Watching a training for the alarms of an adversarial evaluation."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.attacks import FGSM, PGD, Attack, BoundedAttack, Square
from robustlit.attacks.norms import NORMS
from robustlit.callbacks.adversarial_defaults import training_on_attacks
from robustlit.callbacks.training_subset import TrainingSubset
from robustlit.core import Adapter
from robustlit.core.random import sample_seeds
from robustlit.evaluation.attacked.adversarial_alarms import Alarms, History, Signal, judge
from robustlit.evaluation.attacked.adversarial_names import fitted
from robustlit.evaluation.attacked.attack_tally import Attacked, AttackTally, with_eps
from robustlit.evaluation.attacked.attacking import hard_targets
from robustlit.evaluation.attacked.gradient_probe import gradient_probe, image_losses
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.metrics.cells import CLEAN, Cell, CellScore

__all__ = ["AlarmWatch"]

_SUMS = ("alignment", "zero_gradients", "fgsm_loss", "pgd_loss")
_SQUARE: Cell = ("alarm square", 0)
_LARGE: Cell = ("alarm large eps", 0)
_TRAIN: Cell = ("alarm train", 0)
_ADDED: Cell = ("alarm fgsm", 0)


class AlarmWatch:
    """Measures what the alarms look at beside the evaluated attacks, and judges.

    The first PGD (or one of its kind) among the attacks is the one that counts; FGSM of the same eps and norm is added
    where it is missing.

    Args:
        attacks: The evaluated attacks by cell.
        limits: Beyond which alarms fire.
        images: How many training images are kept.

    Raises:
        ValueError: If there is no PGD among the attacks.
    """

    def __init__(self, attacks: Mapping[Cell, Attack], limits: Alarms, images: int | None) -> None:
        strong = {cell: attack for cell, attack in attacks.items() if isinstance(attack, PGD) and not attack.targeted}
        if not strong:
            raise ValueError("expected a PGD among the attacks for the alarms, got none; try alarms=False")
        self.limits = limits
        self.history = History()
        self.training = TrainingSubset(images) if limits.train else None
        self._pgd_cell, self.pgd = next(iter(strong.items()))
        self._fgsm_cell = next((cell for cell, attack in attacks.items() if self._is_its_fgsm(attack)), _ADDED)
        self._sums = [0.0] * len(_SUMS)
        self._images = 0

    @property
    def probed(self) -> tuple[Cell, ...]:
        """The evaluated cells whose images :meth:`look` wants."""
        return (CLEAN, self._fgsm_cell, self._pgd_cell)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that it counts itself."""
        added = (_ADDED,) if self._fgsm_cell == _ADDED else ()
        return (*added, *self.optional)

    @property
    def optional(self) -> tuple[Cell, ...]:
        """Those of its cells that may be left out for want of time, the last ones first."""
        return (
            *((_TRAIN,) if self.training is not None else ()),
            *((_LARGE,) if self.pgd.norm != "l1" else ()),  # an L1 step changes too few values to get that far
            *((_SQUARE,) if self.pgd.norm == "linf" else ()),
        )

    def begin(self) -> None:
        """Start an evaluation."""
        self._sums, self._images = [0.0] * len(_SUMS), 0

    def look(
        self,
        predict: Callable[[Tensor], Tensor],
        adapter: Adapter,
        chunk: Chunk,
        tally: AttackTally,
        seen: Mapping[Cell, Attacked],
    ) -> None:
        """Probe the gradients at some images, and run the attacks that only the alarms need."""
        targets = hard_targets(adapter, chunk.targets, seen[CLEAN].logits)
        pgd = cast(PGD, fitted(self.pgd, adapter))
        shared: dict[str, Any] = {"eps": pgd.eps, "ignore_index": pgd.ignore_index}
        fgsm = seen.get(self._fgsm_cell)
        if fgsm is None:
            fgsm = tally.run(predict, adapter, FGSM(norm=pgd.norm, **shared), chunk, targets)
            tally.update(adapter, _ADDED, fgsm.logits, targets)
        rounds: list[tuple[Cell, BoundedAttack]] = []
        if _LARGE in self.optional:
            far = 0.5 * NORMS[pgd.norm].diameter(chunk.images[0].numel())
            rounds.append((_LARGE, with_eps(pgd, far)))
        if _SQUARE in self.optional:
            rounds.append((_SQUARE, Square(queries=self.limits.queries, **shared)))
        for cell, attack in rounds:
            if tally.cap.allows(cell):
                tally.update(adapter, cell, tally.run(predict, adapter, attack, chunk, targets).logits, targets)
                tally.cap.spent(cell)
        probe = gradient_probe(predict, chunk.images, targets, pgd, sample_seeds(tally.seed, chunk.ids))
        losses = [image_losses(each.logits, targets, pgd.ignore_index) for each in (fgsm, seen[self._pgd_cell])]
        found = torch.stack([each.double().sum() for each in (probe.alignment, probe.vanished, *losses)]).tolist()
        self._sums = [before + new for before, new in zip(self._sums, found, strict=True)]
        self._images += len(chunk)

    def look_at_training(
        self,
        predict: Callable[[Tensor], Tensor],
        adapter: Adapter,
        tally: AttackTally,
        batch_size: int,
        device: torch.device,
    ) -> None:
        """Attack the training images, once they are all there."""
        if self.training is None or not self.training.is_complete:
            return
        for chunk in self.training.chunks(batch_size, device):
            if tally.cap.allows(_TRAIN):
                targets = hard_targets(adapter, chunk.targets, predict(chunk.images[:1]))
                tally.update(adapter, _TRAIN, tally.run(predict, adapter, self.pgd, chunk, targets).logits, targets)
                tally.cap.spent(_TRAIN)

    def figures(self, trainer: pl.Trainer, device: torch.device, found: Mapping[Cell, CellScore]) -> dict[str, float]:
        """Return what the alarms judge, over all processes, the same on each."""
        cells = {
            "clean": CLEAN,
            "fgsm": self._fgsm_cell,
            "pgd": self._pgd_cell,
            "train": _TRAIN,
            "square": _SQUARE,
            "large_eps": _LARGE,
        }
        scores = {name: found[cell].score for name, cell in cells.items() if cell in found}
        sums = torch.tensor([*self._sums, self._images], device=device, dtype=torch.float32)
        *totals, images = cast(Tensor, trainer.strategy.reduce(sums, reduce_op="sum")).tolist()
        means = {name: total / images for name, total in zip(_SUMS, totals, strict=True)} if images else {}
        return {**scores, **means}

    def judge(self, trainer: pl.Trainer, figures: Mapping[str, float]) -> list[Signal]:
        """Return the signals of an evaluation, and remember its scores."""
        trained_on_attacks = bool(training_on_attacks(trainer))
        signals = judge(figures, self.history, self.limits, trained_on_attacks=trained_on_attacks)
        self.history = self.history.after(figures["pgd"])
        return signals

    def _is_its_fgsm(self, attack: Attack) -> bool:
        plain = isinstance(attack, FGSM) and not attack.random_start and not attack.targeted
        return plain and (attack.eps, attack.norm) == (self.pgd.eps, self.pgd.norm)  # type: ignore[attr-defined]
