"""What input gradients tell of a model: whether there are any, and whether they agree with each other nearby."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from robustlit.attacks import BoundedAttack
from robustlit.attacks.losses import cross_entropy
from robustlit.attacks.problem import Problem
from robustlit.core.random import fold

__all__ = ["GradientProbe", "gradient_probe", "image_losses"]


class GradientProbe(NamedTuple):
    """What the input gradients of images are like.

    Args:
        alignment: Shape N, in [-1, 1]: cosine of the gradients at the image and at a random image of the ball.
        vanished: Bool N: whether the gradient at the image is zero everywhere.
    """

    alignment: Tensor
    vanished: Tensor


def gradient_probe(
    predict: Callable[[Tensor], Tensor], images: Tensor, targets: Tensor, attack: BoundedAttack, seeds: Tensor
) -> GradientProbe:
    """Look at the gradients of the cross entropy, for two forward and backward passes.

    The alignment is 1 - GradAlign (Andriushchenko and Flammarion, "Understanding and Improving Fast Adversarial
    Training", 2020, equation 3): near 1 the loss is linear in the ball, and one step is as good as many; at
    catastrophic overfitting it falls towards 0.

    Args:
        predict: Images in [0, 1] to logits.
        images: Float N×C×H×W in [0, 1].
        targets: N, N×K, N×H×W or N×1×H×W.
        attack: Whose ball and ``ignore_index`` are meant.
        seeds: int64 of shape N, for the random image.

    Example:
        >>> from robustlit.attacks import PGD
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
        >>> images, seeds = torch.full((1, 3, 2, 2), 0.5), torch.tensor([0])
        >>> probe = gradient_probe(model, images, torch.tensor([0]), PGD(), seeds)
        >>> round(probe.alignment.item(), 4), probe.vanished.item()
        (1.0, False)
    """
    problem = Problem(predict, targets, cross_entropy, ignore_index=attack.ignore_index)
    here = problem.gradient(images)[0].flatten(1)
    nearby = problem.gradient(attack.ball(images).random(fold(seeds, "alignment")))[0].flatten(1)
    return GradientProbe(torch.cosine_similarity(here, nearby, dim=1), (here == 0).all(1))


def image_losses(logits: Tensor, targets: Tensor, ignore_index: int) -> Tensor:
    """Return the cross entropy of every image, summed over its valid elements, float32 of shape N.

    Args:
        logits: N×K, N×K×H×W or N×1×H×W.
        targets: N, N×K, N×H×W or N×1×H×W.
        ignore_index: Target of elements that do not count.

    Example:
        >>> image_losses(torch.zeros(1, 4), torch.tensor([2]), -100).exp().round()
        tensor([4.])
    """
    return Problem(lambda _: logits, targets, cross_entropy, ignore_index=ignore_index).look(logits[:, :0]).losses
