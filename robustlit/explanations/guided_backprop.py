"""Guided backpropagation."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part
from robustlit.explanations.saliency import saliency

__all__ = ["GuidedBackprop"]


class GuidedBackprop(Method):
    """Saliency with negative gradients cut off at every ReLU on the way back; sharp, and hardly about the class.

    Springenberg, Dosovitskiy, Brox and Riedmiller, "Striving for simplicity", ICLR workshop 2015. Its maps are close to
    an edge detector: Adebayo et al. (NeurIPS 2018) show that they survive random weights. The ReLUs may be modules or
    functional ones; a network without any is an error.
    """

    name: ClassVar[str] = "guided_backprop"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.GUIDED_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return saliency(look.parts[Part.GUIDED_GRADIENT])
