"""Running the package ``pyautoattack`` on blocks of images, and noting which attack broke which image."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.attacks import APGD, PGD, BoundedAttack, searching
from robustlit.core import Adapter
from robustlit.core.logits import two_sided
from robustlit.core.random import sample_seeds
from robustlit.evaluation.attacked.attacking import attacking, hard_targets, precision_words
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.evaluation.passes.visiting import Visitor, from_all_processes

__all__ = ["ROBUST", "WRONG", "AutoAttackVisitor", "attack_names", "auto_attack", "require_package"]

ROBUST, WRONG = -1, -2  # in place of the number of the attack that broke an image: none, and none was needed
_NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}
_MARGIN = "apgd-t-margin"  # ours, for few classes
_STEPS, _QUERIES = 100, 5000  # those of the package's standard version


def require_package() -> None:
    """Raise unless ``pyautoattack`` can be imported.

    Raises:
        ImportError: With how to install it.
    """
    if find_spec("pyautoattack") is None:
        raise ImportError(
            "expected the package pyautoattack for AutoAttack, got none; try pip install 'robustlit[attacks]'"
        )


def attack_names(num_classes: int) -> tuple[str, ...]:
    """Return the attacks of the standard ensemble in their order.

    Example:
        >>> attack_names(10), attack_names(2)
        (('apgd-ce', 'apgd-t', 'fab-t', 'square'), ('apgd-ce', 'apgd-t-margin', 'fab-t', 'square'))
    """
    return ("apgd-ce", "apgd-t" if num_classes > 3 else _MARGIN, "fab-t", "square")


def auto_attack(
    predict: Callable[[Tensor], Tensor],
    images: Tensor,
    targets: Tensor,
    *,
    eps: float,
    norm: str = "linf",
    seed: int = 0,
    ids: Tensor | None = None,
) -> Tensor:
    """Run the standard AutoAttack on one block of images.

    The global generators, which the package seeds, and Python's trace function, which it takes away, are put back.

    Args:
        predict: Images in [0, 1] to float32 logits N×K (N×1 stands for two classes), in eval mode and with frozen
            parameters.
        images: Float N×C×H×W in [0, 1].
        targets: Classes N.
        eps: Radius in units of the pixel range.
        norm: "linf", "l2" or "l1".
        seed: Of the attacks' draws.
        ids: int64 of shape N, the samples' indices, for the draws of our own attack; their positions by default.

    Returns:
        int64 of shape N: the number in :func:`attack_names` of the first attack that broke an image, ``ROBUST`` where
        none did, ``WRONG`` where the model is wrong without an attack.
    """
    trace = sys.gettrace()
    try:
        with searching(None):
            return _auto_attack(lambda pixels: two_sided(predict(pixels)), images, targets, eps, norm, seed, ids)
    finally:
        sys.settrace(trace)


def _auto_attack(
    predict: Callable[[Tensor], Tensor],
    images: Tensor,
    targets: Tensor,
    eps: float,
    norm: str,
    seed: int,
    ids: Tensor | None,
) -> Tensor:
    logits = predict(images)
    classes = logits.shape[1]
    own_seeds = sample_seeds(seed, torch.arange(len(images), device=images.device) if ids is None else ids)
    broken = torch.where(logits.argmax(1) == targets, ROBUST, WRONG)
    package = _package(predict, images.device, eps, norm, seed, classes)
    for number, name in enumerate(attack_names(classes)):
        left = (broken == ROBUST).nonzero().flatten()
        if not len(left):
            break
        if name == _MARGIN:
            changed = _margin_attack(eps, norm, classes)(predict, images[left], targets[left], seed=own_seeds[left])
            won = predict(changed).argmax(1) != targets[left]
        else:
            package.attacks_to_run = [name]  # alone, so that it is known which one won
            _, said = package.run_standard_evaluation(images[left], targets[left], batch_size=len(images))
            won = said != targets[left]
        broken[left[won]] = number
    return broken


def _margin_attack(eps: float, norm: str, classes: int) -> BoundedAttack:
    settings: dict[str, Any] = {"eps": eps, "norm": norm, "steps": _STEPS, "loss": "margin"}
    return APGD(**settings, goals=classes - 1) if norm in APGD.norms else PGD(**settings, best=True)


def _package(
    predict: Callable[[Tensor], Tensor], device: torch.device, eps: float, norm: str, seed: int, classes: int
) -> Any:
    """The package's standard version, for this number of classes."""
    from pyautoattack import AutoAttack

    model: Any = predict
    found = AutoAttack(model, eps=eps, norm=_NORMS[norm], seed=seed, device=device, version="standard")  # type: ignore[arg-type]
    found.apgd_targeted.n_target_classes = min(found.apgd_targeted.n_target_classes, classes - 1)
    found.fab.n_target_classes = min(found.fab.n_target_classes, classes - 1)
    return found


class AutoAttackVisitor(Visitor):
    """Keeps the chosen images on the CPU, and attacks them at the end, block by block.

    ``broken``, ``ids`` and ``facts`` have what was found, the same on every process.

    Args:
        eps: See :func:`auto_attack`; likewise ``norm`` and ``seed``.
        norm: See there.
        block: Images in a block.
        seed: See there.
    """

    def __init__(self, eps: float, norm: str, block: int, seed: int) -> None:
        self.eps, self.norm, self.block, self.seed = eps, norm, block, seed
        self.broken: list[int] = []
        self.ids: list[int] = []
        self.facts: dict[str, Any] = {}
        self._chunks: list[Chunk] = []

    def look(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter, chunk: Chunk) -> None:
        """Keep some images."""
        self._chunks.append(Chunk(chunk.images.cpu(), chunk.targets.cpu(), chunk.ids.cpu()))

    def finish(self, trainer: pl.Trainer, module: pl.LightningModule, adapter: Adapter) -> None:
        """Share the images out in blocks, attack them, and gather what was found."""
        whole = _sorted([chunk for part in from_all_processes(trainer, self._chunks) for chunk in part])
        self._chunks = []
        if whole is None:
            return
        starts = range(0, len(whole), self.block)[trainer.global_rank :: trainer.world_size]
        found: list[tuple[int, list[int]]] = []
        with attacking(trainer, module, adapter) as predict:
            classes = two_sided(predict(whole.images[:1].to(module.device))).shape[1]
            for start in starts:
                part = whole[start : start + self.block]
                images, targets, ids = (each.to(module.device) for each in (part.images, part.targets, part.ids))
                targets = hard_targets(adapter, targets, predict(images[:1]))
                settings: dict[str, Any] = {"eps": self.eps, "norm": self.norm, "seed": self.seed, "ids": ids}
                found.append((start, auto_attack(predict, images.float(), targets, **settings).tolist()))
        every = sorted(pair for part in from_all_processes(trainer, found) for pair in part)
        self.broken = [place for _, places in every for place in places]
        self.ids = whole.ids.tolist()
        self.facts = self._describe(classes, precision_words(trainer, module, "32"))

    def _describe(self, classes: int, precision: str) -> dict[str, Any]:
        tries = min(5 if self.norm == "l1" else 9, classes - 1)
        return {
            "attack": "AutoAttack standard" if classes > 3 else "AutoAttack standard, margin in place of DLR",
            "ensemble": attack_names(classes),
            "norm": self.norm,
            "eps": self.eps,
            "steps": _STEPS,
            "restarts": 5 if self.norm == "l1" else 1,
            "queries": _QUERIES,
            "target_classes": tries,
            "block": self.block,
            "precision": precision,
            "score": "accuracy",
        }


def _sorted(chunks: list[Chunk]) -> Chunk | None:
    """Return all images in the order of their index; None where there is none."""
    if not chunks:
        return None
    ids = torch.cat([chunk.ids for chunk in chunks])
    order = ids.argsort(stable=True)
    images, targets = torch.cat([chunk.images for chunk in chunks]), torch.cat([chunk.targets for chunk in chunks])
    return Chunk(images[order], targets[order], ids[order])
