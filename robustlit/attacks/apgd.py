"""APGD: PGD without a step size to choose."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.attacks.base import BoundedAttack
from robustlit.attacks.norms import NormBall
from robustlit.attacks.problem import Problem
from robustlit.attacks.worst import Worst, worst_of
from robustlit.core.random import fold

__all__ = ["APGD", "checkpoints"]

_MOMENTUM = 0.75
_ENOUGH = 0.75  # share of steps that must raise the loss for the step size to stay


@dataclass(frozen=True)
class APGD(BoundedAttack):
    """Auto-PGD: momentum steps that start at 2 eps and halve, for each sample, where the loss stops growing.

    Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks"
    (2020), algorithm 1. The worst iterate is kept for every sample. ``loss`` "ce" or "dlr" are APGD-CE and APGD-DLR;
    with ``goals`` it is APGD-T, which climbs towards each of the likeliest wrong classes in turn.

    Args:
        eps: Radius in units of the pixel range [0, 1].
        steps: Number of steps of a run.
        restarts: Number of random starts, for every sample not yet won.
        goals: Number of wrong classes to try, at most the number of classes minus 1 (the paper: 9); 0 climbs away from
            the label. Restarts run for each of them.
        norm: "linf" or "l2".
        loss: See ``Attack``; "dlr" needs 3 classes, 4 with goals. Likewise ``targeted`` and ``ignore_index``.

    Raises:
        ValueError: For an unknown norm or loss, a count below its least, or goals of an attack that is given its own.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5))
        >>> images = torch.full((2, 3, 2, 2), 0.5)
        >>> changed = APGD(eps=0.1, steps=5, loss="dlr", goals=2)(model, images, torch.tensor([0, 1]))
        >>> bool(((changed - images).abs() <= 0.1).all())
        True
    """

    steps: int = 100
    restarts: int = 1
    goals: int = 0

    norms = ("linf", "l2")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, count, least in (("steps", self.steps, 1), ("restarts", self.restarts, 1), ("goals", self.goals, 0)):
            if count < least:
                raise ValueError(f"expected {name} of at least {least}, got {count}; try {name}={least}")
        if self.goals and (self.targeted or self.loss not in ("ce", "dlr", "margin")):
            given = "targeted=True" if self.targeted else f"loss={self.loss!r}"
            raise ValueError(f"expected goals=0 with {given}, got {self.goals}; try goals=0")

    def search(self, problem: Problem, images: Tensor, seeds: Tensor) -> Tensor:
        """Return the worst iterate of every sample over all goals and restarts."""
        ranked = self._wrong_classes(problem, images) if self.goals else None

        def run(number: int, chosen: Tensor, problem: Problem) -> Worst:
            restart, goal = number % self.restarts, number // self.restarts
            if ranked is not None:
                problem = problem.toward(ranked[chosen, goal])
            ball = self.ball(images[chosen])
            start = _to_the_border(ball, ball.random(fold(seeds[chosen], "restart", restart, "goal", goal)))
            return _climb(problem, ball, start, self.steps, self.eps)

        return worst_of(problem, images, self.restarts * (1 if ranked is None else ranked.shape[1]), run)

    def _wrong_classes(self, problem: Problem, images: Tensor) -> Tensor:
        """Return int64 N×G×P: the likeliest wrong classes of the clean images, from the likeliest on."""
        with torch.no_grad():
            logits = problem.logits(images)
        wrong = logits.scatter(1, problem.aim.labels[:, None], -torch.inf)
        return wrong.topk(min(self.goals, logits.shape[1] - 1), dim=1).indices


def checkpoints(steps: int) -> list[int]:
    """Return the steps after which the step size may be halved.

    The share p of the steps starts at 0.22, and the gaps shrink by 0.03 down to 0.06 (section 3.2 of the paper).

    Example:
        >>> checkpoints(100)[:5], checkpoints(10)
        ([22, 41, 57, 70, 80], [3, 5, 6, 7, 8, 9, 10])
    """
    shares = [0.0, 0.22]
    while (following := shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06)) <= 1:
        shares.append(following)
    return sorted({math.ceil(round(share * steps, 9)) for share in shares[1:]})


@dataclass
class _Best:
    """The iterate of the largest loss of every sample, with its gradient."""

    images: Tensor
    gradient: Tensor
    losses: Tensor

    def update(self, images: Tensor, gradient: Tensor, losses: Tensor) -> None:
        better = losses > self.losses
        spread = better[:, None, None, None]
        self.images = torch.where(spread, images, self.images)
        self.gradient = torch.where(spread, gradient, self.gradient)
        self.losses = torch.where(better, losses, self.losses)


def _climb(problem: Problem, ball: NormBall, images: Tensor, steps: int, eps: float) -> Worst:
    """Run once, steps + 1 gradients, and return the worst iterates."""
    worst = Worst(problem, images)
    gradient, look = problem.gradient(images)
    worst.offer(images, look)
    best = _Best(images, gradient, look.losses)
    before, losses = images, look.losses
    size = torch.full_like(losses, 2 * eps)
    rose, halved, mark, mark_losses = torch.zeros_like(losses), torch.ones_like(losses).bool(), 0, best.losses
    looks = checkpoints(steps)
    for step in range(steps):
        length = size[:, None, None, None].to(images.dtype)
        ahead = ball.clip(images + length * ball.direction(gradient, images))
        if step > 0:
            ahead = ball.clip(images + _MOMENTUM * (ahead - images) + (1 - _MOMENTUM) * (images - before))
        before, images, previous = images, ahead, losses
        gradient, look = problem.gradient(images)
        losses = look.losses
        worst.offer(images, look)
        best.update(images, gradient, losses)
        rose = rose + (losses > previous)
        if step + 1 in looks:
            stuck = ~halved & (best.losses <= mark_losses)
            halved = (rose < _ENOUGH * (step + 1 - mark)) | stuck
            size = torch.where(halved, size / 2, size)
            spread = halved[:, None, None, None]
            images = torch.where(spread, best.images, images)
            gradient = torch.where(spread, best.gradient, gradient)
            losses = torch.where(halved, best.losses, losses)
            rose, mark, mark_losses = torch.zeros_like(rose), step + 1, best.losses
    return worst


def _to_the_border(ball: NormBall, images: Tensor) -> Tensor:
    """Return random images moved away from the clean ones to the border of the ball, where APGD starts."""
    change = (images - ball.images).flatten(1)
    order = torch.inf if type(ball).__name__ == "LinfBall" else 2
    length = torch.linalg.vector_norm(change, ord=order, dim=1)[:, None, None, None]
    return ball.clip(ball.images + (images - ball.images) * (ball.eps / (length + 1e-12)))
