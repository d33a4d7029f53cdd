"""What attacks are called, and what must be said of them beside every figure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, cast

from robustlit.attacks import FGSM, Attack
from robustlit.attacks.base import BoundedAttack
from robustlit.attacks.lengths import eps_words
from robustlit.core import Adapter

__all__ = ["Attacks", "attack_facts", "attack_label", "attack_words", "eps_key", "fitted", "named_attacks"]

Attacks: TypeAlias = Sequence[Attack] | Mapping[str, Attack]

_FACTS = ("norm", "eps", "steps", "restarts", "queries", "goals", "random_start")
_NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}
_TAKEN = ("clean", "worst")


def attack_label(attack: Attack) -> str:
    """Return the short name of an attack: its class, and a loss other than cross entropy.

    Example:
        >>> from robustlit.attacks import APGD, SegPGD
        >>> attack_label(SegPGD()), attack_label(FGSM(random_start=True)), attack_label(APGD(loss="dlr", goals=9))
        ('seg_pgd', 'fgsm_rs', 'apgd_dlr_t')
    """
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=^MI)(?=FGSM)", "_", type(attack).__name__).lower()
    if isinstance(attack, FGSM) and attack.random_start:
        name += "_rs"
    usual = type(attack).__dataclass_fields__["loss"].default
    if attack.loss != usual:
        name += f"_{_loss_name(attack)}"
    return f"{name}_t" if attack.targeted or getattr(attack, "goals", False) else name


def named_attacks(attacks: Attacks) -> dict[str, Attack]:
    """Return attacks by name; where classes repeat, the names also tell steps or eps.

    Raises:
        TypeError: If something is not an attack.
        ValueError: If there is none, or names cannot be told apart.

    Example:
        >>> from robustlit.attacks import PGD
        >>> list(named_attacks([FGSM(), PGD()])), list(named_attacks([PGD(steps=10), PGD(steps=50)]))
        (['fgsm', 'pgd'], ['pgd_10', 'pgd_50'])
    """
    each = list(attacks.values()) if isinstance(attacks, Mapping) else list(attacks)
    for attack in each:
        if not isinstance(attack, Attack):
            raise TypeError(f"expected attacks such as PGD(), got {type(attack).__name__}; try robustlit.attacks.PGD()")
    if not each:
        raise ValueError("expected at least one attack, got none; try PGD()")
    names = list(attacks) if isinstance(attacks, Mapping) else _unique(each)
    taken = set(_TAKEN) & set(names)
    if taken:
        raise ValueError(f"expected other names than {' and '.join(_TAKEN)}, got {taken.pop()!r}; try 'pgd'")
    return dict(zip(names, each, strict=True))


def attack_facts(attack: Attack) -> dict[str, Any]:
    """Return what figures under an attack must not be compared without, as plain values.

    Example:
        >>> from robustlit.attacks import PGD
        >>> facts = attack_facts(PGD(eps=0.5, norm="l2", steps=20))
        >>> facts["attack"], facts["norm"], facts["eps"], facts["steps"], facts["restarts"], facts["loss"]
        ('PGD', 'l2', 0.5, 20, 1, 'ce')
    """
    facts = {name: getattr(attack, name) for name in _FACTS if hasattr(attack, name)}
    usual_step = cast("Callable[[], float] | None", getattr(attack, "usual_step", None))
    step = getattr(attack, "step_size", None)
    if step is not None or usual_step is not None:
        facts["step_size"] = usual_step() if step is None and usual_step is not None else step
    facts.setdefault("steps", 1)
    if isinstance(attack, FGSM):
        facts["restarts"] = 1
    if "queries" in facts:
        facts.pop("steps")
    return {"attack": type(attack).__name__, **facts, "loss": _loss_name(attack), "targeted": attack.targeted}


def attack_words(attack: Attack) -> str:
    """Return an attack in one short line.

    Example:
        >>> from robustlit.attacks import PGD
        >>> attack_words(PGD(steps=10, restarts=2))
        'PGD Linf 8/255, 10 steps, 2 restarts'
    """
    facts = attack_facts(attack)
    words = facts["attack"] + (f" {_NORMS[facts['norm']]} {eps_words(facts['eps'])}" if "eps" in facts else "")
    parts = [words]
    for name in ("steps", "queries", "restarts"):
        if facts.get(name, 1) > 1:
            parts.append(f"{facts[name]} {name}")
    if facts.get("goals"):
        parts.append(f"{facts['goals']} goals")
    usual = type(attack).__dataclass_fields__["loss"].default
    return ", ".join([*parts, *([facts["loss"]] if attack.loss != usual else [])])


def eps_key(eps: float) -> str:
    """Return an eps as a part of a key.

    Example:
        >>> eps_key(8 / 255)
        '8of255'
    """
    return eps_words(eps).replace("/", "of")


def fitted(attack: Attack, adapter: Adapter) -> Attack:
    """Return the attack with the adapter's ignore index, where it has none of its own."""
    unset = attack.ignore_index == Attack.ignore_index
    return attack if adapter.ignore_index is None or not unset else replace(attack, ignore_index=adapter.ignore_index)


def _loss_name(attack: Attack) -> str:
    return attack.loss if isinstance(attack.loss, str) else getattr(attack.loss, "__name__", "own")


def _unique(attacks: Sequence[Attack]) -> list[str]:
    """Return names that differ: labels, else with the numbers of steps, else with eps too."""
    names = [attack_label(attack) for attack in attacks]
    for ending in (_steps_of, _eps_of):
        repeated = {name for name in names if names.count(name) > 1}
        if not repeated:
            break
        names = [
            f"{name}{ending(attack)}" if name in repeated else name for name, attack in zip(names, attacks, strict=True)
        ]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"expected attacks that differ, got {sorted(twice)[0]} twice; try a mapping of names to them")
    return names


def _steps_of(attack: Attack) -> str:
    steps = getattr(attack, "steps", None)
    return "" if steps is None else f"_{steps}"


def _eps_of(attack: Attack) -> str:
    return f"_{attack.norm}_{eps_key(attack.eps)}" if isinstance(attack, BoundedAttack) else ""
