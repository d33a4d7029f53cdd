"""Integrated gradients: the gradient along a path from a baseline to the image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.explanations.base import Look, Method

__all__ = ["IntegratedGradients", "gauss_legendre"]


def gauss_legendre(steps: int) -> tuple[list[float], list[float]]:
    """Return nodes in (0, 1) and weights that sum to 1, which integrate polynomials up to degree 2·steps-1 exactly.

    They are eigenvalues and eigenvectors of the Jacobi matrix (Golub and Welsch, "Calculation of Gauss quadrature
    rules", Mathematics of Computation 23, 1969).

    Example:
        >>> nodes, weights = gauss_legendre(3)
        >>> round(sum(w * x**4 for x, w in zip(nodes, weights)), 12)
        0.2
    """
    k = torch.arange(1, steps, dtype=torch.float64)
    beside = k / (4 * k * k - 1).sqrt()
    nodes, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    weights: list[float] = vectors[0].square().tolist()
    return ((nodes + 1) / 2).tolist(), weights


@dataclass(frozen=True)
class IntegratedGradients(Method):
    """What each pixel adds to the score on the way from a constant image: signed, summed over the channels.

    The sum of a map is the score minus the baseline's score (completeness), up to the error of the integral. One
    forward and backward pass a step. Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017.

    Args:
        steps: Nodes of the Gauss-Legendre rule, 1 or more.
        baseline: Value of all pixels of the baseline, 0 for black.

    Raises:
        ValueError: If ``steps`` is below 1.
    """

    steps: int = 32
    baseline: float = 0.0

    name: ClassVar[str] = "integrated_gradients"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"expected 1 or more steps, got {self.steps}; try steps=32")

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        way = look.images - self.baseline
        total = torch.zeros_like(way)
        for node, weight in zip(*gauss_legendre(self.steps), strict=True):
            total += weight * look.network.image_gradient(self.baseline + node * way, look.goal)
        return (way * total).sum(1)
