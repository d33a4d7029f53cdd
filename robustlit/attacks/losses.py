"""What an attack makes large: losses of every element (an image's one label, or each pixel), in float32.

Logits are N×K×P and labels N×P: P is 1 for classification, H·W for dense labels, the number of labels for multi-label
ones (which are K = 2 classes each). Every loss grows as the attack succeeds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LOSSES", "Aim", "ElementLoss", "cross_entropy", "dlr", "kl", "margin"]

_TINY = 1e-12


@dataclass(frozen=True)
class Aim:
    """What an attack is about.

    Args:
        labels: int64 N×P, the classes to get away from; 0 where ``valid`` is False.
        valid: bool N×P, the elements that count.
        goals: int64 N×P, the classes to reach; None where any wrong class will do.
        clean: float32 N×K×P, the logits of the clean images; None where the loss does not need them.
    """

    labels: Tensor
    valid: Tensor
    goals: Tensor | None = None
    clean: Tensor | None = None

    def subset(self, index: Tensor) -> "Aim":
        """Return the aim of some samples, by bool or int64 index."""
        goals = None if self.goals is None else self.goals[index]
        clean = None if self.clean is None else self.clean[index]
        return Aim(self.labels[index], self.valid[index], goals, clean)


ElementLoss: TypeAlias = Callable[[Tensor, Aim], Tensor]


def cross_entropy(logits: Tensor, aim: Aim) -> Tensor:
    """Return the cross entropy of the labels, N×P; with goals, minus that of the goals (so at most 0)."""
    if aim.goals is not None:
        return -_cross_entropy(logits, aim.goals)
    return _cross_entropy(logits, aim.labels)


def margin(logits: Tensor, aim: Aim) -> Tensor:
    """Return the largest other logit minus the label's, N×P; with goals, the goal's minus the largest other.

    Positive exactly where the attack succeeds. Carlini and Wagner, "Towards Evaluating the Robustness of Neural
    Networks" (2017), f₆ without its clipping.
    """
    chosen = aim.labels if aim.goals is None else aim.goals
    difference = _largest_other(logits, chosen) - _of(logits, chosen)
    return difference if aim.goals is None else -difference


def dlr(logits: Tensor, aim: Aim) -> Tensor:
    """Return the difference of logits ratio, N×P, which neither a scale nor a shift of the logits changes.

    With z sorted as z₁ ≥ z₂ ≥ …: −(z_label − largest other) / (z₁ − z₃), and with goals
    −(z_label − z_goal) / (z₁ − (z₃ + z₄) / 2). Croce and Hein, "Reliable evaluation of adversarial robustness with an
    ensemble of diverse parameter-free attacks" (2020), equations 6 and 7.

    Raises:
        ValueError: If there are fewer classes than the formula needs.
    """
    needed = 3 if aim.goals is None else 4
    if logits.shape[1] < needed:
        raise ValueError(
            f"expected at least {needed} classes for the DLR loss, got {logits.shape[1]}; try loss='margin'"
        )
    ranked = logits.topk(needed, dim=1).values
    if aim.goals is None:
        scale = ranked[:, 0] - ranked[:, 2]
        return (_largest_other(logits, aim.labels) - _of(logits, aim.labels)) / (scale + _TINY)
    scale = ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2
    return (_of(logits, aim.goals) - _of(logits, aim.labels)) / (scale + _TINY)


def kl(logits: Tensor, aim: Aim) -> Tensor:
    """Return the Kullback-Leibler divergence of the prediction from that of the clean images, N×P.

    KL(clean ‖ adversarial), as in TRADES (Zhang et al. 2019). Its gradient is zero at the clean image, so an attack on
    it has to start somewhere else.

    Raises:
        ValueError: If the aim has no logits of the clean images.
    """
    if aim.clean is None:
        raise ValueError("expected the logits of the clean images for the KL loss, got none; try passing Aim(clean=…)")
    clean = aim.clean.log_softmax(1)
    return (clean.exp() * (clean - logits.log_softmax(1))).sum(1)


LOSSES: Mapping[str, ElementLoss] = {"ce": cross_entropy, "margin": margin, "dlr": dlr, "kl": kl}


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    if labels.shape[1] == 1:  # the same kernel, so the same bits, as a training loop's own N×K call
        return F.cross_entropy(logits[..., 0], labels[:, 0], reduction="none")[:, None]
    return F.cross_entropy(logits, labels, reduction="none")


def _of(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.gather(1, labels[:, None])[:, 0]


def _largest_other(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.scatter(1, labels[:, None], -torch.inf).amax(1)
