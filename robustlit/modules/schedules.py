"""Learning-rate schedules over a known number of steps; the peak is the optimizer's own ``lr``."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

__all__ = ["cosine_with_warmup", "one_cycle", "poly"]


def one_cycle(optimizer: Optimizer, total_steps: int, *, warmup: float = 0.2, start: float = 0.1) -> LambdaLR:
    """Rise linearly to the peak and fall linearly to zero (after Smith and Topin, arXiv 1708.07120).

    Args:
        optimizer: Its ``lr`` is the peak.
        total_steps: Steps of the whole training.
        warmup: Share of the steps in which the rate rises, in [0, 1).
        start: First rate, as a share of the peak.

    Raises:
        ValueError: If ``warmup`` is not in [0, 1).
    """
    return _scheduled(optimizer, total_steps, warmup, start, lambda progress: 1 - progress)


def cosine_with_warmup(
    optimizer: Optimizer, total_steps: int, *, warmup: float = 0.05, start: float = 0.01
) -> LambdaLR:
    """Rise linearly to the peak, then fall to zero along half a cosine (Loshchilov and Hutter, ICLR 2017).

    The arguments are those of :func:`one_cycle`.
    """
    return _scheduled(optimizer, total_steps, warmup, start, lambda progress: (1 + math.cos(math.pi * progress)) / 2)


def poly(
    optimizer: Optimizer, total_steps: int, *, power: float = 0.9, warmup: float = 0.0, start: float = 0.01
) -> LambdaLR:
    """Fall to zero as (1 - progress) to a power, as is usual in segmentation (Chen et al., arXiv 1606.00915).

    The other arguments are those of :func:`one_cycle`.
    """
    return _scheduled(optimizer, total_steps, warmup, start, lambda progress: (1 - progress) ** power)


def _scheduled(
    optimizer: Optimizer, total_steps: int, warmup: float, start: float, fall: Callable[[float], float]
) -> LambdaLR:
    if not 0 <= warmup < 1:
        raise ValueError(f"expected warmup as a share of the steps in [0, 1), got {warmup}; try 0.1")
    rising = warmup * total_steps

    def factor(step: int) -> float:
        if step < rising:
            return start + (1 - start) * step / rising
        return fall(min(1.0, (step - rising) / (total_steps - rising)))

    return LambdaLR(optimizer, factor)
