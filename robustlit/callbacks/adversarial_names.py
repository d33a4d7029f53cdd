"""Short names of attacks and methods, each that of its file under ``conf/``."""

from collections.abc import Callable, Mapping
from functools import partial

from robustlit.attacks import APGD, FGSM, MIFGSM, PGD, Attack, CosPGD, SegPGD, Square
from robustlit.core.names import lookup
from robustlit.methods import MART, TRADES, GradAlign, LogitPairing, Method, Plain

__all__ = ["ATTACKS", "METHODS", "as_attack", "as_method"]

ATTACKS: Mapping[str, Callable[[], Attack]] = {
    "apgd": APGD,
    "cos_pgd": CosPGD,
    "fgsm": FGSM,
    "fgsm_rs": partial(FGSM, random_start=True),
    "mi_fgsm": MIFGSM,
    "pgd": PGD,
    "seg_pgd": SegPGD,
    "square": Square,
}
METHODS: Mapping[str, Callable[[], Method]] = {
    "at": Plain,
    "grad_align": GradAlign,
    "logit_pairing": LogitPairing,
    "mart": MART,
    "trades": TRADES,
}


def as_attack(attack: str | Attack) -> Attack:
    """Return an attack, also by its name.

    Raises:
        TypeError: If it is neither.
        ValueError: If there is no such name.

    Example:
        >>> as_attack("fgsm_rs").random_start
        True
    """
    if isinstance(attack, str):
        return lookup("attack", attack, ATTACKS)()
    if not isinstance(attack, Attack):
        raise TypeError(f"expected an attack such as PGD() or its name, got {type(attack).__name__}; try attack='pgd'")
    return attack


def as_method(method: str | Method) -> Method:
    """Return a method of adversarial training, also by its name.

    Raises:
        TypeError: If it is neither.
        ValueError: If there is no such name.

    Example:
        >>> as_method("trades").beta
        6.0
    """
    if isinstance(method, str):
        return lookup("method", method, METHODS)()
    if not isinstance(method, Method):
        raise TypeError(f"expected a method such as TRADES() or its name, got {type(method).__name__}; try method='at'")
    return method
