"""Gradient × input: the first-order share of every pixel in the score."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["GradientXInput", "gradient_x_input"]


def gradient_x_input(gradient: Tensor, images: Tensor) -> Tensor:
    """Return the sum over the channels of gradient times pixel, signed, N×H×W, from two tensors N×C×H×W."""
    return (gradient * images).sum(1)


class GradientXInput(Method):
    """What each pixel adds to the score to first order, seen from black: signed, summed over the channels.

    Shrikumar, Greenside, Shcherbina and Kundaje, "Not just a black box", 2016, arXiv:1605.01713.
    """

    name: ClassVar[str] = "gradient_x_input"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.IMAGE_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return gradient_x_input(look.parts[Part.IMAGE_GRADIENT], look.images)
