"""The deconvnet."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part
from robustlit.explanations.saliency import saliency

__all__ = ["Deconvnet"]


class Deconvnet(Method):
    """Saliency with the backward pass of a deconvnet: ReLUs act on the gradient, not on what the forward pass saw.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 2. The ReLUs may be
    modules or functional ones; a network without any is an error.
    """

    name: ClassVar[str] = "deconvnet"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.DECONV_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return saliency(look.parts[Part.DECONV_GRADIENT])
