"""A smaller eps in the first epochs."""

from dataclasses import replace
from typing import Any

from robustlit.attacks import Attack, BoundedAttack

__all__ = ["scaled", "warmup_factor"]


def warmup_factor(epoch: int, warmup_epochs: int) -> float:
    """Return the share of eps in an epoch: it grows by equal steps and is 1 from epoch ``warmup_epochs`` on.

    Example:
        >>> [warmup_factor(epoch, 3) for epoch in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return min(1.0, (epoch + 1) / (warmup_epochs + 1))


def scaled(attack: Attack, factor: float) -> Attack:
    """Return the attack with its eps, and a step size that was given, times a factor.

    Raises:
        TypeError: If the attack has no eps.

    Example:
        >>> from robustlit.attacks import PGD
        >>> scaled(PGD(eps=0.2, step_size=0.1), 0.5).step_size
        0.05
    """
    if factor == 1:
        return attack
    if not isinstance(attack, BoundedAttack):
        raise TypeError(
            f"expected an attack with an eps for its warm-up, got {type(attack).__name__}; try eps_warmup_epochs=0"
        )
    changes: dict[str, Any] = {"eps": attack.eps * factor}
    if getattr(attack, "step_size", None) is not None:
        changes["step_size"] = attack.step_size * factor  # type: ignore[attr-defined]
    return replace(attack, **changes)
