"""Grad-CAM++."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["GradCAMPlusPlus", "grad_cam_pp"]


def grad_cam_pp(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return Grad-CAM++, N×h×w ≥ 0, of maps N×K×h×w and the score's gradient by them.

    With g a gradient and S the sum of its map, the paper's coefficient g² / (2g² + S·g³) is 1 / (2 + S·g): without
    the small constant that implementations add below, which is larger than g² for many networks and then decides.
    """
    below = 2 + activations.sum((2, 3), keepdim=True) * gradients
    share = torch.where(below != 0, 1 / below, 0)
    weights = (share * gradients.relu()).sum((2, 3), keepdim=True)
    return (activations * weights).sum(1).relu()


class GradCAMPlusPlus(Method):
    """Grad-CAM whose weights count every place that speaks for the class once, however large: for several objects.

    The score stands for exp(score) as in the paper's section 3.3, whose positive factor is left out. Chattopadhay,
    Sarkar, Howlader and Balasubramanian, "Grad-CAM++", WACV 2018, equations 5, 10 and 19.
    """

    name: ClassVar[str] = "grad_cam_pp"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS, Part.ACTIVATION_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return grad_cam_pp(look.parts[Part.ACTIVATIONS], look.parts[Part.ACTIVATION_GRADIENT])
