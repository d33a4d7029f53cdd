"""What happens when an alarm fires: a line, a card, and where asked for an end or another attack."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

from robustlit.attacks import PGD, BoundedAttack
from robustlit.callbacks.adversarial_defaults import training_on_attacks
from robustlit.callbacks.pictures import boards
from robustlit.core.names import lookup
from robustlit.evaluation.attacked.adversarial_alarms import FAMILIES, Family, Signal
from robustlit.evaluation.attacked.adversarial_names import attack_words

__all__ = ["OnAlarm", "act", "add_text", "check_action", "check_switchable", "families_fired", "tell"]

OnAlarm: TypeAlias = Literal["warn", "stop", "switch"]
_ACTIONS: tuple[OnAlarm, ...] = ("warn", "stop", "switch")

# masking says that the figures are wrong, not that the training is
_ACTED_ON: dict[OnAlarm, tuple[Family, ...]] = {
    "warn": (),
    "stop": ("catastrophic_overfitting", "robust_overfitting"),
    "switch": ("catastrophic_overfitting",),
}


def check_action(action: str) -> OnAlarm:
    """Return it, or raise.

    Raises:
        ValueError: If there is no such action.
    """
    return lookup("on_alarm", action, {name: name for name in _ACTIONS})


def families_fired(signals: Sequence[Signal]) -> dict[Family, bool]:
    """Return whether each alarm fires, for those that have a signal."""
    return {
        family: any(signal.fired for signal in signals if signal.family == family)
        for family in FAMILIES
        if any(signal.family == family for signal in signals)
    }


def tell(trainer: pl.Trainer, family: Family, signals: Sequence[Signal], facts: str) -> None:
    """Say in one line, and on a card in TensorBoard, that an alarm fires.

    Args:
        trainer: Whose loggers get the card.
        family: The alarm.
        signals: Of this evaluation.
        facts: Attack and number of images.
    """
    own = [signal for signal in signals if signal.family == family]
    title = f"{family.replace('_', ' ')} at epoch {trainer.current_epoch}"
    fired = "; ".join(signal.words for signal in own if signal.fired)
    rank_zero_warn(f"ALARM {title}: {fired} ({facts}); {FAMILIES[family]}")
    lines = [f"- {'**fires**' if signal.fired else 'quiet'}: {signal.words}" for signal in own]
    add_text(trainer, f"alarm/{family}", "\n".join([f"**{title}** ({facts})", "", *lines, "", FAMILIES[family]]))


def act(trainer: pl.Trainer, action: OnAlarm, family: Family, strong: PGD) -> bool:
    """Do what is to be done where an alarm fires.

    Args:
        trainer: Whose training stops, or whose callbacks switch.
        action: "warn", "stop" or "switch".
        family: The alarm.
        strong: The attack to switch to, at the training attack's own eps and norm.

    Returns:
        Whether something was done.
    """
    if family not in _ACTED_ON[action]:
        return False
    if action == "stop":
        trainer.should_stop = True
        return True
    switched = False
    for callback in training_on_attacks(trainer):
        current = getattr(callback, "attack", None)
        if isinstance(current, PGD):
            continue
        attack = strong
        if isinstance(current, BoundedAttack):
            attack = replace(strong, eps=current.eps, norm=current.norm, step_size=None, loss=current.loss)
        callback.use_attack(attack)
        rank_zero_warn(f"training goes on with {attack_words(attack)} from epoch {trainer.current_epoch + 1}")
        switched = True
    return switched


def check_switchable(trainer: pl.Trainer) -> None:
    """Raise if no callback's attack can be switched.

    Raises:
        ValueError: If there is none.
    """
    if not training_on_attacks(trainer):
        raise ValueError(
            "expected a callback that trains on attacks for on_alarm='switch', got none; try AdversarialTraining() or "
            "on_alarm='stop'"
        )


def add_text(trainer: pl.Trainer, tag: str, text: str) -> None:
    """Show a text under a tag, at the step that pictures have; only the first process writes."""
    for logger in boards(trainer) if trainer.is_global_zero else []:
        logger.experiment.add_text(tag, text, max(0, trainer.global_step - 1))
