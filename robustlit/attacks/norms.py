"""Budgets: for each norm the random start, the direction of steepest ascent and the way back into the ball.

All of them work on N×C×H×W images in [0, 1], and every result lies in [0, 1] and within eps of the clean image: under
L∞ because the bounds are rounded towards the clean image, under L2 and L1 because the values are, and because the
radius aimed at is smaller by two parts in a million, more than rounding adds to a length.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from robustlit.core.random import fold, normal, uniform

__all__ = ["NORMS", "L1Ball", "L2Ball", "LinfBall", "NormBall", "project_l1"]

_TINY = 1e-12
_INSIDE = 1 - 2e-6  # of the radius


class NormBall(ABC):
    """The images within eps of the clean ones and in [0, 1].

    Args:
        images: Clean images, N×C×H×W in [0, 1].
        eps: Radius in the units of the pixel range.
    """

    def __init__(self, images: Tensor, eps: float) -> None:
        self.images = images
        self.eps = eps

    @abstractmethod
    def clip(self, images: Tensor) -> Tensor:
        """Return the images moved into the ball and into [0, 1]."""

    @abstractmethod
    def direction(self, gradient: Tensor, images: Tensor) -> Tensor:
        """Return the unit step from ``images`` along which a loss of this gradient grows fastest."""

    @abstractmethod
    def random(self, seeds: Tensor) -> Tensor:
        """Return random images of the ball from int64 seeds of shape N."""

    def small(self, seeds: Tensor) -> Tensor:
        """Return the clean images with normal noise of 0.001, in the ball: the start that TRADES uses."""
        return self.clip(self.images + 0.001 * normal(fold(seeds, "start"), self.images.shape[1:]))

    @staticmethod
    @abstractmethod
    def diameter(values: int) -> float:
        """Return the distance of the farthest two images of so many values."""


class LinfBall(NormBall):
    """Every value may change by eps."""

    def __init__(self, images: Tensor, eps: float) -> None:
        super().__init__(images, eps)
        self.low, self.high = _bound(images, -eps), _bound(images, eps)

    def clip(self, images: Tensor) -> Tensor:
        """Return the images clipped to the ball and to [0, 1]."""
        return torch.clamp(images, self.low, self.high)

    def direction(self, gradient: Tensor, images: Tensor) -> Tensor:
        """Return the sign of the gradient."""
        return gradient.sign()

    def random(self, seeds: Tensor) -> Tensor:
        """Return images uniform in the ball, then clipped to [0, 1]."""
        noise = uniform(fold(seeds, "start"), self.images.shape[1:]).mul_(2 * self.eps).sub_(self.eps)
        return self.clip(self.images + noise)

    @staticmethod
    def diameter(values: int) -> float:
        """Return 1."""
        return 1.0


class L2Ball(NormBall):
    """The change of an image has a Euclidean length of at most eps."""

    def clip(self, images: Tensor) -> Tensor:
        """Return the images scaled back to the ball, then clipped to [0, 1], which moves them towards the clean."""
        change = images - self.images
        factor = (self.eps * _INSIDE / (_length(change) + _TINY)).clamp(max=1)
        return _moved(self.images, change * factor)

    def direction(self, gradient: Tensor, images: Tensor) -> Tensor:
        """Return the gradient at length 1; zero where it is zero."""
        return gradient / (_length(gradient) + _TINY)

    def random(self, seeds: Tensor) -> Tensor:
        """Return images uniform in the ball, then clipped to [0, 1]."""
        shape = self.images.shape[1:]
        noise = normal(fold(seeds, "start"), shape)
        radius = uniform(fold(seeds, "radius")).pow(1 / math.prod(shape))[:, None, None, None]
        return self.clip(self.images + noise * (self.eps * radius / (_length(noise) + _TINY)))

    @staticmethod
    def diameter(values: int) -> float:
        """Return the length of the diagonal of the unit cube."""
        return math.sqrt(values)


class L1Ball(NormBall):
    """The absolute changes of an image's values sum to at most eps.

    The step is that of SLIDE (Tramèr and Boneh, "Adversarial Training and Robustness for Multiple Perturbations",
    2019): the sign of the gradient on the share of values where it is largest, leaving out values that cannot move
    that way. The way back is onto the ball and the box at once, without which the budget is not used (Croce and Hein,
    "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", 2021).
    """

    share: ClassVar[float] = 0.01  # of the values that a step changes

    def clip(self, images: Tensor) -> Tensor:
        """Return the nearest images in both the ball and [0, 1]."""
        change = images - self.images
        room = torch.where(change > 0, 1 - self.images, self.images)
        nearest = project_l1(change.flatten(1), room.flatten(1), self.eps * _INSIDE).view_as(change)
        return _moved(self.images, nearest)

    def direction(self, gradient: Tensor, images: Tensor) -> Tensor:
        """Return equal steps on the values with the largest gradient, of absolute sum 1."""
        stuck = ((images <= 0) & (gradient < 0)) | ((images >= 1) & (gradient > 0))
        slope = gradient.masked_fill(stuck, 0).flatten(1)
        count = max(1, round(self.share * slope.shape[1]))
        largest = slope.abs().topk(count, dim=1).indices
        step = torch.zeros_like(slope).scatter_(1, largest, slope.gather(1, largest).sign())
        return (step / step.abs().sum(1, keepdim=True).clamp(min=1)).view_as(gradient)

    def random(self, seeds: Tensor) -> Tensor:
        """Return images uniform in the ball (exponential magnitudes, random signs), then moved into [0, 1]."""
        shape = self.images.shape[1:]
        draw = uniform(fold(seeds, "start"), shape).mul_(2).sub_(1)
        size = -torch.log1p(-draw.abs().clamp(max=1 - 2**-24))
        rest = -torch.log1p(-uniform(fold(seeds, "radius")))[:, None, None, None]
        total = size.flatten(1).sum(1)[:, None, None, None] + rest
        return self.clip(self.images + draw.sign() * size * (self.eps / total))

    @staticmethod
    def diameter(values: int) -> float:
        """Return the number of values."""
        return float(values)


NORMS: Mapping[str, type[NormBall]] = {"linf": LinfBall, "l2": L2Ball, "l1": L1Ball}


def project_l1(change: Tensor, room: Tensor, eps: float) -> Tensor:
    """Return the nearest change whose absolute values sum to at most eps and stay within the room.

    It shrinks all absolute values by one threshold t and cuts them at the room. The sum of what is left falls
    piecewise linearly in t, with a bend at every |change| and at every |change| - room; sorting the bends finds the
    piece on which the sum is eps.

    Args:
        change: N×D.
        room: N×D, at least 0: how far each value may move in the direction of its change.
        eps: Largest sum of absolute values.

    Returns:
        N×D.

    Example:
        >>> project_l1(torch.tensor([[3.0, -2.0, 0.5]]), torch.full((1, 3), 9.0), 3.0)
        tensor([[ 2., -1.,  0.]])
        >>> project_l1(torch.tensor([[3.0, -2.0, 0.5]]), torch.full((1, 3), 1.0), 2.25)
        tensor([[ 1.0000, -1.0000,  0.2500]])
    """
    size, room = change.abs().double(), room.double()  # in float32 a large threshold would lose the small values
    kept = torch.minimum(size, room)
    bends, order = torch.cat([size, size - room], dim=1).sort(dim=1, descending=True)
    turns = torch.cat([torch.ones_like(size), -torch.ones_like(size)], dim=1).gather(1, order)
    slope = turns.cumsum(1)  # elements that still grow as t falls below this bend
    gained = torch.zeros_like(bends)
    gained[:, 1:] = (slope[:, :-1] * (bends[:, :-1] - bends[:, 1:])).cumsum(1)  # the sum at this bend
    piece = ((gained <= eps).sum(1, keepdim=True) - 1).clamp(min=0)
    rest = (eps - gained.gather(1, piece)) / slope.gather(1, piece).clamp(min=1)
    threshold = (bends.gather(1, piece) - rest).clamp(min=0)
    shrunk = torch.minimum((size - threshold).clamp(min=0), room)
    fits = kept.sum(1, keepdim=True) <= eps
    return change.sign() * torch.where(fits, kept, shrunk).to(change.dtype)


def _bound(images: Tensor, change: float) -> Tensor:
    """Return the images changed as far as they may be, clipped to [0, 1]; never farther by a rounding error."""
    step = torch.tensor(change, dtype=images.dtype)  # on the host: eps itself is rounded towards zero
    if abs(float(step)) > abs(change):
        step = torch.nextafter(step, torch.zeros_like(step))
    bound = images + float(step)
    too_far = (bound.double() - images.double()).abs() > abs(change)
    return torch.where(too_far, torch.nextafter(bound, images), bound).clamp_(0, 1)


def _moved(images: Tensor, change: Tensor) -> Tensor:
    """Return the images with the change, clipped to [0, 1]; no value moves farther by a rounding error."""
    moved = (images + change).clamp_(0, 1)
    return torch.where((moved - images).abs() > change.abs(), torch.nextafter(moved, images), moved)


def _length(change: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(change.flatten(1), dim=1)
    return length[:, None, None, None]
