"""Square attack: random squares, kept where they raise the loss; no gradient."""

import math
from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from robustlit.attacks.base import BoundedAttack
from robustlit.attacks.losses import ElementLoss
from robustlit.attacks.problem import Problem
from robustlit.attacks.worst import Worst
from robustlit.core.random import fold, uniform

__all__ = ["Square", "square_side"]

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries


@dataclass(frozen=True)
class Square(BoundedAttack):
    """Square attack: a black-box random search that only asks the model for its logits.

    It starts from vertical stripes of ±eps and then, query by query, sets a random square of every channel to ±eps,
    keeping it where the loss grows. Andriushchenko et al., "Square Attack: a query-efficient black-box adversarial
    attack via random search" (2020), the L∞ version. Samples already won are not asked about again. Where it beats a
    gradient attack of the same eps, the gradients are masked.

    Args:
        eps: Radius in units of the pixel range [0, 1].
        queries: Largest number of forward passes of a sample.
        p: Share of the pixels in the first squares; it is halved as queries are used up.
        norm: "linf".
        loss: See ``Attack``; likewise ``targeted`` and ``ignore_index``. The margin is the paper's.

    Raises:
        ValueError: For another norm, fewer than 1 query, or a share outside (0, 1].

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
        >>> images = torch.full((1, 3, 2, 2), 0.5)
        >>> with torch.no_grad():
        ...     changed = Square(eps=0.1, queries=20)(model, images, torch.tensor([0]))
        >>> bool(((changed - images).abs() <= 0.1).all())
        True
    """

    queries: int = 5000
    p: float = 0.8
    _: KW_ONLY
    loss: str | ElementLoss = "margin"

    norms = ("linf",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.queries < 1:
            raise ValueError(f"expected queries of at least 1, got {self.queries}; try 5000")
        if not 0 < self.p <= 1:
            raise ValueError(f"expected p in (0, 1], got {self.p}; try 0.8")

    def search(self, problem: Problem, images: Tensor, seeds: Tensor) -> Tensor:
        """Return the images of the largest loss; the clean ones where the model is wrong on them already."""
        worst = Worst(problem, images)
        worst.offer(images, problem.look(images))
        height, width = images.shape[2:]
        for query in range(self.queries - 1):
            left = (worst.won < 1).nonzero().flatten()
            if len(left) == 0:
                break
            ball, draws = self.ball(images[left]), fold(seeds[left], query)
            if query == 0:
                changed = ball.images + self.eps * _signs(draws, (images.shape[1], 1, width))
            else:
                side = square_side(query, self.queries, self.p, height, width)
                inside = _window(draws, "row", height, side)[:, None, :, None]
                inside = inside & _window(draws, "column", width, side)[:, None, None, :]
                signs = _signs(draws, (images.shape[1], 1, 1))
                changed = torch.where(inside, ball.images + self.eps * signs, worst.images[left])
            changed = ball.clip(changed)
            worst.offer(changed, problem.subset(left).look(changed), left)
        return worst.images


def square_side(query: int, queries: int, p: float, height: int, width: int) -> int:
    """Return the side in pixels of the squares of a query.

    Example:
        >>> square_side(1, 10000, 0.8, 32, 32), square_side(9000, 10000, 0.8, 32, 32)
        (29, 1)
    """
    used = query * 10_000 // queries
    share = p / 2 ** sum(used > halving for halving in _HALVINGS)
    return max(1, min(round(math.sqrt(share * height * width)), height - 1, width - 1))


def _signs(seeds: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.where(uniform(fold(seeds, "sign"), shape) < 0.5, -1.0, 1.0)


def _window(seeds: Tensor, axis: str, length: int, side: int) -> Tensor:
    """Return bool N×length: a stretch of ``side`` at a random position."""
    start = (uniform(fold(seeds, axis)) * (length - side + 1)).to(torch.int64)
    position = torch.arange(length, device=seeds.device) - start[:, None]
    return (position >= 0) & (position < side)
