"""Saliency: the gradient of the score by the pixels."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["Saliency", "saliency"]


def saliency(gradient: Tensor) -> Tensor:
    """Return the largest absolute value over the channels, N×H×W ≥ 0, of a gradient N×C×H×W."""
    return gradient.abs().amax(1)


class Saliency(Method):
    """How much the score reacts to each pixel: |gradient|, its maximum over the channels.

    Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", ICLR workshop 2014, section 3.1.

    Example:
        >>> import torch
        >>> saliency(torch.tensor([[[[1.0]], [[-3.0]]]]))
        tensor([[[3.]]])
    """

    name: ClassVar[str] = "saliency"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.IMAGE_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return saliency(look.parts[Part.IMAGE_GRADIENT])
