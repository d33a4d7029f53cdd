"""Scores under attacks, cell by cell: one attack is one cell."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from robustlit.attacks import Attack, BoundedAttack
from robustlit.core import Adapter
from robustlit.core.random import sample_seeds
from robustlit.evaluation.attacked.adversarial_names import fitted
from robustlit.evaluation.attacked.attacking import hard_targets
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.outcomes import Outcomes
from robustlit.evaluation.passes.score_tally import ScoreTally
from robustlit.evaluation.passes.time_cap import TimeCap
from robustlit.metrics.cells import CLEAN, Cell

__all__ = ["AttackTally", "Attacked", "attack_cell", "with_eps"]


class Attacked(NamedTuple):
    """Images of one cell, and what the model says of them.

    Args:
        images: Float N×C×H×W in [0, 1].
        logits: float32 N×K, N×K×H×W or N×1×H×W.
    """

    images: Tensor
    logits: Tensor


class AttackTally(ScoreTally):
    """Attacks images and counts the predictions; the images as they are, ``CLEAN``, come first by themselves.

    The draws of a sample depend on the seed, the attack and the sample only.

    Args:
        attacks: An attack a cell.
        cap: Which of them there is time for.
        seed: Evaluation seed.
        others: Cells that the caller counts.
        outcomes: Gets every image's too.
    """

    def __init__(
        self,
        attacks: Mapping[Cell, Attack],
        cap: TimeCap[Cell],
        *,
        seed: int = 0,
        others: Iterable[Cell] = (),
        outcomes: Outcomes | None = None,
    ) -> None:
        super().__init__((CLEAN, *attacks, *others), outcomes)
        self.attacks = dict(attacks)
        self.cap = cap
        self.seed = seed

    def look(
        self, predict: Callable[[Tensor], Tensor], adapter: Adapter, chunk: Chunk, keep: Collection[Cell] = ()
    ) -> dict[Cell, Attacked]:
        """Attack some images in every cell, and return those of ``keep``."""
        if self.outcomes is not None:
            self.outcomes.begin(chunk.ids)
        logits = predict(chunk.images)
        targets = hard_targets(adapter, chunk.targets, logits)
        self.update(adapter, CLEAN, logits, targets)
        seen = {CLEAN: Attacked(chunk.images, logits)} if CLEAN in keep else {}
        for cell, attack in self.attacks.items():
            if self.cap.allows(cell):
                found = self.run(predict, adapter, attack, chunk, targets)
                self.update(adapter, cell, found.logits, targets)
                self.cap.spent(cell)
                if cell in keep:
                    seen[cell] = found
        self.cap.done(len(chunk))
        return seen

    def run(
        self, predict: Callable[[Tensor], Tensor], adapter: Adapter, attack: Attack, chunk: Chunk, targets: Tensor
    ) -> Attacked:
        """Attack some images once; ``targets`` as attacks understand them."""
        images = fitted(attack, adapter)(predict, chunk.images, targets, seed=sample_seeds(self.seed, chunk.ids))
        return Attacked(images, predict(images))


def attack_cell(name: str, attack: Attack) -> Cell:
    """Return the cell of an attack: its name and eps, 0 where it has none."""
    return (name, attack.eps if isinstance(attack, BoundedAttack) else 0)


def with_eps(attack: BoundedAttack, eps: float) -> BoundedAttack:
    """Return the same attack with another eps; a step size that was given grows with it.

    Example:
        >>> from robustlit.attacks import PGD
        >>> with_eps(PGD(eps=0.1, step_size=0.02), 0.2).step_size
        0.04
    """
    step = getattr(attack, "step_size", None)
    if step is None or attack.eps == 0:
        return replace(attack, eps=eps)
    longer = step * eps / attack.eps
    changed: dict[str, Any] = {"eps": eps, "step_size": min(longer, 1.0) if attack.norm == "linf" else longer}
    return replace(attack, **changed)
