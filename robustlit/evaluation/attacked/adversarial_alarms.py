"""Alarms: what the figures of an adversarial evaluation say that is wrong with the training or with the evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["FAMILIES", "Alarms", "Family", "History", "Signal", "judge"]

Family: TypeAlias = Literal["catastrophic_overfitting", "robust_overfitting", "gradient_masking"]

# what to do about each
FAMILIES: Mapping[Family, str] = {
    "catastrophic_overfitting": "try PGD in training, FGSM(random_start=True), a smaller eps or GradAlign",
    "robust_overfitting": "try the best checkpoint, AWP, EMA, or stopping here",
    "gradient_masking": "do not believe these scores; try Square, APGD and AutoAttack before you do",
}


@dataclass(frozen=True)
class Alarms:
    """Limits beyond which an alarm fires; scores and shares are in [0, 1].

    Catastrophic overfitting, where FGSM seems harmless and PGD wins: any of

    - ``gap``: FGSM's score minus PGD's. A model trained with PGD loses 5 to 12 points from FGSM to PGD-10 (eps 8/255 to
      16/255 on CIFAR-10); at catastrophic overfitting PGD's score is about 0 and FGSM's above the clean one's half
      (Wong et al., "Fast is better than free", 2020). 0.3 lies between.
    - ``left``: what PGD leaves of a score, which tells where all scores are low and so the gap too, as at eps 16/255:
      PGD's score over FGSM's, while FGSM leaves more than half of the clean score, as it seldom does of an undefended
      network; and, where training is on attacks, over PGD's best so far. Either counts where a third of ``gap`` lies
      between the two, so that small numbers over small numbers do not make it fire.
    - ``drop``: how much PGD's score falls from one evaluation to the next. 0.2 is where the authors' code stops.
    - ``alignment``: mean cosine of the gradients at an image and at a random one in its ball; near 0 at catastrophic
      overfitting, far above without (Andriushchenko and Flammarion 2020, figure 3). It counts while FGSM leaves
      more than half of the clean score, for a model that does not resist even FGSM has nothing to lose.

    Robust overfitting (Rice et al., "Overfitting in adversarially robust deep learning", 2020): both of

    - ``train_gap``: PGD's score on training images minus that on validation images. The paper's networks have about
      0.1 at their best epoch and more than 0.4 at the end.
    - ``decline``: PGD's best validation score so far minus this one.

    Gradient masking (Athalye et al., "Obfuscated gradients give a false sense of security", 2018, section 3.1; Carlini
    et al., "On evaluating adversarial robustness", 2019): any of

    - ``zero_gradients``: share of images whose input gradient is zero.
    - ``black_box``: PGD's score minus that of Square with ``queries`` queries, for L∞. Square sees no gradients and
      should be the weaker one by far.
    - ``large_eps``: PGD's score at an eps that makes every image grey (0.5 under L∞), which should be 0.
    - ``loss_growth``: share by which PGD's mean loss is below FGSM's, of the same eps; more steps should raise it.

    Args:
        gap: See above; likewise all others.
        queries: Queries of Square.
        train: Whether to keep and attack training images; without them there is no alarm of robust overfitting.

    Raises:
        ValueError: If a limit is not positive.
    """

    gap: float = 0.3
    left: float = 0.25
    drop: float = 0.2
    alignment: float = 0.2
    train_gap: float = 0.15
    decline: float = 0.02
    zero_gradients: float = 0.05
    black_box: float = 0.02
    large_eps: float = 0.1
    loss_growth: float = 0.01
    queries: int = 30
    train: bool = True

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "train" and not value > 0:
                raise ValueError(f"expected {each.name} > 0, got {value}; try {each.name}={each.default}")


class Signal(NamedTuple):
    """One figure that an alarm looks at.

    Args:
        family: The alarm it is part of.
        name: What was measured.
        value: Its value.
        fired: Whether it is beyond its limit.
        words: Both in a few words.
    """

    family: Family
    name: str
    value: float
    fired: bool
    words: str


class History(NamedTuple):
    """PGD's validation scores of earlier evaluations; None before the first."""

    last: float | None = None
    best: float | None = None

    def after(self, pgd: float) -> "History":
        """Return the history with one evaluation more."""
        return History(pgd, pgd if self.best is None else max(self.best, pgd))


def judge(
    figures: Mapping[str, float], history: History, limits: Alarms, *, trained_on_attacks: bool = False
) -> list[Signal]:
    """Return the signals that these figures allow.

    Args:
        figures: Some of ``clean``, ``fgsm``, ``pgd``, ``train`` (PGD on training images), ``square``, ``large_eps``:
            scores; ``alignment``, ``zero_gradients``; ``fgsm_loss``, ``pgd_loss``: mean losses.
        history: Of the evaluations before.
        limits: The limits.
        trained_on_attacks: Whether the network is: an undefended one loses to PGD what it had by chance at its start.

    Example:
        >>> signals = judge({"clean": 0.9, "fgsm": 0.8, "pgd": 0.0}, History(last=0.3, best=0.3), Alarms())
        >>> [(signal.name, signal.fired) for signal in signals]
        [('fgsm_pgd_gap', True), ('pgd_left_of_fgsm', True), ('pgd_drop', True)]
    """
    found = _catastrophic(figures, history, limits)
    if trained_on_attacks and history.best:
        found.append(_left_of_best(figures["pgd"], history.best, limits))
    return [*found, *_robust(figures, history, limits), *_masking(figures, limits)]


def _catastrophic(figures: Mapping[str, float], history: History, limits: Alarms) -> list[Signal]:
    family: Family = "catastrophic_overfitting"
    pgd, fgsm = figures["pgd"], figures["fgsm"]
    gap, resists = fgsm - pgd, fgsm > figures["clean"] / 2
    words = f"FGSM {_percent(fgsm)}, PGD {_percent(pgd)}: {_points(gap)} (limit {_points(limits.gap)})"
    found = [Signal(family, "fgsm_pgd_gap", gap, gap > limits.gap, words)]
    if fgsm > 0:
        left, least = pgd / fgsm, limits.gap / 3
        words = f"PGD leaves {_percent(left)} of what FGSM leaves (limit {_percent(limits.left)}, while FGSM leaves "
        words += f"more than half of clean and PGD {_points(least)} less)"
        fired = resists and gap > least and left < limits.left
        found.append(Signal(family, "pgd_left_of_fgsm", left, fired, words))
    if history.last is not None:
        drop = history.last - pgd
        words = f"PGD fell from {_percent(history.last)} by {_points(drop)} (limit {_points(limits.drop)})"
        found.append(Signal(family, "pgd_drop", drop, drop > limits.drop, words))
    if "alignment" in figures:
        aligned = figures["alignment"]
        fired = aligned < limits.alignment and resists
        words = (
            f"cosine of gradients {aligned:.2f} (limit {limits.alignment:g}, while FGSM leaves more than half of clean)"
        )
        found.append(Signal(family, "gradient_alignment", aligned, fired, words))
    return found


def _left_of_best(pgd: float, best: float, limits: Alarms) -> Signal:
    left, least = pgd / best, limits.gap / 3
    words = f"PGD leaves {_percent(left)} of its best so far, {_percent(best)} (limit {_percent(limits.left)}, "
    words += f"{_points(least)} below it)"
    fired = best - pgd > least and left < limits.left
    return Signal("catastrophic_overfitting", "pgd_left_of_best", left, fired, words)


def _robust(figures: Mapping[str, float], history: History, limits: Alarms) -> list[Signal]:
    if "train" not in figures:
        return []
    pgd, train = figures["pgd"], figures["train"]
    decline = 0.0 if history.best is None else history.best - pgd
    words = (
        f"PGD {_percent(train)} in training, {_percent(pgd)} in validation: {_points(train - pgd)} "
        f"(limit {_points(limits.train_gap)}), {_points(decline)} below its best (limit {_points(limits.decline)})"
    )
    fired = train - pgd > limits.train_gap and decline > limits.decline
    return [Signal("robust_overfitting", "train_val_gap", train - pgd, fired, words)]


def _masking(figures: Mapping[str, float], limits: Alarms) -> list[Signal]:
    family: Family = "gradient_masking"
    found = []
    if "zero_gradients" in figures:
        share = figures["zero_gradients"]
        words = f"zero gradients on {_percent(share)} of the images (limit {_percent(limits.zero_gradients)})"
        found.append(Signal(family, "zero_gradients", share, share > limits.zero_gradients, words))
    if "square" in figures:
        gain = figures["pgd"] - figures["square"]
        words = f"Square {_percent(figures['square'])} against PGD {_percent(figures['pgd'])}"
        words += f" (limit {_points(limits.black_box)} less)"
        found.append(Signal(family, "black_box_gain", gain, gain > limits.black_box, words))
    if "large_eps" in figures:
        left = figures["large_eps"]
        words = f"PGD at a huge eps leaves {_percent(left)} (limit {_percent(limits.large_eps)})"
        found.append(Signal(family, "large_eps_score", left, left > limits.large_eps, words))
    if "fgsm_loss" in figures and "pgd_loss" in figures:
        one, many = figures["fgsm_loss"], figures["pgd_loss"]
        growth = (many - one) / max(one, 1e-6)
        words = f"loss {one:.3g} after one step, {many:.3g} after all (limit {_percent(limits.loss_growth)} less)"
        found.append(Signal(family, "loss_growth", growth, growth < -limits.loss_growth, words))
    return found


def _percent(score: float) -> str:
    return f"{100 * score:.1f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"
