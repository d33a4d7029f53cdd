"""HiRes-CAM."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["HiResCAM", "hires_cam"]


def hires_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return HiRes-CAM, N×h×w ≥ 0, of maps N×K×h×w and the score's gradient by them."""
    return (activations * gradients).sum(1).relu()


class HiResCAM(Method):
    """The layer's maps times their gradients place by place, positive part: places are not averaged away.

    Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    2020, arXiv:2011.08891.
    """

    name: ClassVar[str] = "hires_cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS, Part.ACTIVATION_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return hires_cam(look.parts[Part.ACTIVATIONS], look.parts[Part.ACTIVATION_GRADIENT])
