"""The worst of several images for every sample: the most elements won, then the largest loss."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from robustlit.attacks.problem import Look, Problem

__all__ = ["Worst", "worst_of"]


class Worst:
    """Keeps, for every sample, the worst image offered so far.

    Args:
        problem: Whose success counts.
        images: Returned for samples to which nothing was offered, N×C×H×W.
    """

    def __init__(self, problem: Problem, images: Tensor) -> None:
        self.problem = problem
        self.images = images.clone()
        self.won = torch.full((len(images),), -1.0, device=images.device)
        self.losses = torch.full_like(self.won, -torch.inf)

    def offer(self, images: Tensor, look: Look, chosen: Tensor | None = None) -> None:
        """Keep the images that are worse than those before.

        Args:
            images: M×C×H×W.
            look: What the model showed of them.
            chosen: int64 of shape M, the samples they belong to; None for all in order.
        """
        problem = self.problem if chosen is None else self.problem.subset(chosen)
        self._keep(images, problem.success(look.logits), look.losses.to(self.losses.dtype), chosen)

    def merge(self, other: "Worst", chosen: Tensor) -> None:
        """Keep what is worse of the samples ``chosen``, int64, that another search was about."""
        self._keep(other.images, other.won, other.losses, chosen)

    def _keep(self, images: Tensor, won: Tensor, losses: Tensor, chosen: Tensor | None) -> None:
        index: Any = slice(None) if chosen is None else chosen
        before = self.won[index]
        worse = (won > before) | ((won == before) & (losses > self.losses[index]))
        self.images[index] = torch.where(worse[:, None, None, None], images, self.images[index])
        self.won[index] = torch.where(worse, won, before)
        self.losses[index] = torch.where(worse, losses, self.losses[index])


def worst_of(problem: Problem, images: Tensor, runs: int, run: Callable[[int, Tensor, Problem], Worst]) -> Tensor:
    """Return the worst result of several runs for every sample; a run sees only samples not yet won altogether.

    Args:
        problem: Of all samples.
        images: The clean images, N×C×H×W.
        runs: At least 1.
        run: ``(number, samples, problem of those samples) -> Worst`` of them; samples is int64 of shape M.
    """
    everyone = torch.arange(len(images), device=images.device)
    worst = Worst(problem, images)
    for number in range(runs):
        left = everyone if number == 0 else (worst.won < 1).nonzero().flatten()
        if len(left) == 0:
            break
        worst.merge(run(number, left, problem if number == 0 else problem.subset(left)), left)
    return worst.images
