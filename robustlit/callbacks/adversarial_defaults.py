"""What an adversarial evaluation runs where nobody chose: the usual attacks, at the eps of training."""

from typing import Any

import pytorch_lightning as pl

from robustlit.attacks import FGSM, PGD, Attack, BoundedAttack, SegPGD

__all__ = ["training_on_attacks", "usual_attacks"]


def training_on_attacks(trainer: pl.Trainer) -> list[Any]:
    """Return the callbacks that train on an attack: those with a method ``use_attack``."""
    return [callback for callback in trainer.callbacks if callable(getattr(callback, "use_attack", None))]  # type: ignore[attr-defined]


def usual_attacks(trainer: pl.Trainer, masks: bool) -> tuple[Attack, ...]:
    """Return FGSM and PGD with 10 steps (for masks SegPGD), with the norm and eps of training, else at 8/255.

    Args:
        trainer: Whose callbacks may train on an attack.
        masks: Whether the task is segmentation.
    """
    known = [getattr(callback, "attack", None) for callback in training_on_attacks(trainer)]
    attack = next((attack for attack in known if isinstance(attack, BoundedAttack)), None)
    shared: dict[str, Any] = {} if attack is None else {"eps": attack.eps, "norm": attack.norm}
    return FGSM(**shared), (SegPGD if masks else PGD)(steps=10, **shared)
