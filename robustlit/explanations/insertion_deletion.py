"""Insertion and deletion: how fast the class appears, and disappears, along a map's order of the pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.core.adapter import Adapter
from robustlit.core.neutral import private
from robustlit.explanations.floats import at_least_float
from robustlit.explanations.network import Model, Network, check_images
from robustlit.explanations.target import AnyTarget, Goal, resolve

__all__ = ["InsertionDeletion", "blurred", "insertion_deletion"]


@dataclass(frozen=True)
class InsertionDeletion:
    """The two curves of every image.

    Args:
        insertion: Probability of the class after each share of pixels was put in, N×(steps+1); high early is good.
        deletion: The same after each share was taken out; low early is good.
    """

    insertion: Tensor
    deletion: Tensor

    @property
    def insertion_area(self) -> Tensor:
        """Area under each insertion curve, in [0, 1] for probabilities, of shape N."""
        return _area(self.insertion)

    @property
    def deletion_area(self) -> Tensor:
        """Area under each deletion curve, of shape N."""
        return _area(self.deletion)


def insertion_deletion(
    model: Model,
    images: Tensor,
    maps: Tensor,
    target: AnyTarget = None,
    *,
    steps: int = 20,
    value: float = 0.5,
    batch_size: int = 64,
    adapter: Adapter | None = None,
) -> InsertionDeletion:
    """Put the pixels of a map, the largest first, into a blurred image, and take them out of the image.

    Petsiuk, Das and Saenko, "RISE", BMVC 2018, section 4.1. The probability is the softmax of the class (sigmoid for
    multi-label and single logits; its mean over the region for a segmentation). Equal pixels go from top left to bottom
    right. The model is left bit-identical.

    Args:
        model: As for :func:`robustlit.explanations.explain`.
        images: Float N×C×H×W in pixel space.
        maps: N×H×W.
        target: As for ``explain``; the class is that of the whole image.
        steps: Equal shares of the pixels, 1 or more.
        value: Grey value of deleted pixels.
        batch_size: Images in one forward pass.
        adapter: Reads the logits, and normalises pixels; automatic by default.

    Raises:
        ValueError: If the maps do not fit the images, or ``steps`` is below 1.

    Example:
        >>> bright = lambda images: torch.stack((images.mean((1, 2, 3)), 0 * images.mean((1, 2, 3))), dim=1)
        >>> image = torch.rand(1, 3, 8, 8)
        >>> insertion_deletion(bright, image, image.mean(1), 0, steps=4).deletion.shape
        torch.Size([1, 5])
    """
    check_images(images)
    if steps < 1:
        raise ValueError(f"expected 1 or more steps, got {steps}; try steps=20")
    if maps.shape != (len(images), *images.shape[2:]):
        expected = (len(images), *images.shape[2:])
        raise ValueError(f"expected maps of shape {expected}, got {tuple(maps.shape)}; try the maps of explain")
    network = Network(model, adapter)
    with network.looking(images.device), torch.no_grad():
        images = at_least_float(private(images))
        goal = resolve(target if callable(target) else private(target), network.logits(images))
        order = private(maps).flatten(1).argsort(dim=1, descending=True, stable=True)
        rank = order.argsort(dim=1)
        insertion = _curve(network, goal, images, blurred(images), rank, steps, batch_size)
        deletion = _curve(network, goal, torch.full_like(images, value), images, rank, steps, batch_size)
    return InsertionDeletion(insertion, deletion)


def _curve(
    network: Network, goal: Goal, top: Tensor, below: Tensor, rank: Tensor, steps: int, batch_size: int
) -> Tensor:
    """Return the probabilities N×(steps+1) of images that show ``top`` in the first pixels and ``below`` elsewhere."""
    count, pixels = rank.shape
    jobs = torch.cartesian_prod(torch.arange(count), torch.arange(steps + 1)).to(rank.device)
    found = []
    for part in torch.split(jobs, batch_size):
        index, step = part.unbind(1)
        first = (rank[index] * steps < step[:, None] * pixels).view(-1, 1, *top.shape[2:])
        logits = network.logits(torch.where(first, top[index], below[index]))
        found.append(goal.probability(logits, index, independent=network.adapter.task == "multilabel"))
    return torch.cat(found).view(count, steps + 1)


def blurred(images: Tensor) -> Tensor:
    """Return images N×C×H×W under a Gaussian blur whose standard deviation is 5 pixels for a side of 224."""
    sigma = max(0.5, 5 / 224 * min(images.shape[-2:]))
    reach = min(int(3 * sigma + 0.5), min(images.shape[-2:]) - 1)
    x = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = (-(x**2) / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    flat = images.flatten(0, 1)[:, None]
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="reflect"), kernel)
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="reflect"), kernel.mT)
    return flat[:, 0].view_as(images)


def _area(curve: Tensor) -> Tensor:
    return torch.trapezoid(curve, dx=1 / (curve.shape[1] - 1), dim=1)
