"""Per-sample draws from gamma and beta distributions."""

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, uniform

__all__ = ["beta_draws", "gamma_draws"]

_SMALLEST = 1e-300
_TRIES = 12  # each succeeds with probability 0.95 or more


def gamma_draws(seeds: Tensor, alpha: float, count: int) -> Tensor:
    """Draw from the gamma distribution of a shape and the scale 1.

    Marsaglia and Tsang, "A simple method for generating gamma variables" (2000): the first of twelve tries that
    succeeds, so every sample takes the same number of draws; that none does happens once in 10¹⁵.

    Args:
        seeds: int64 of shape N.
        alpha: Shape, above 0.
        count: Draws a sample.

    Returns:
        float64 N×count, above 0.
    """
    if alpha == 1:
        return -(uniform(fold(seeds, "gamma"), (count,)).double() + 2.0**-25).log()
    whole = alpha if alpha >= 1 else alpha + 1
    d = whole - 1 / 3
    x = normal(fold(seeds, "gamma normal"), (count, _TRIES)).double()
    u = uniform(fold(seeds, "gamma uniform"), (count, _TRIES + 1)).double() + 2.0**-25
    v = (1 + x / (9 * d) ** 0.5).pow(3).clamp_(min=_SMALLEST)
    accepted = (v > _SMALLEST) & (u[..., 1:].log() < 0.5 * x * x + d * (1 - v + v.log()))
    first = accepted.to(torch.int8).argmax(-1, keepdim=True)
    value: Tensor = d * v.gather(-1, first)[..., 0]
    return value if alpha >= 1 else (value * u[..., 0].pow(1 / alpha)).clamp_(min=_SMALLEST)


def beta_draws(seeds: Tensor, alpha: float) -> Tensor:
    """Draw from the beta distribution with both parameters ``alpha``: float32 of shape N in [0, 1]."""
    gammas = gamma_draws(seeds, alpha, 2)
    return (gammas[:, 0] / gammas.sum(1)).float()
