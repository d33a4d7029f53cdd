"""Layer-CAM."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["LayerCAM", "layer_cam"]


def layer_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return Layer-CAM, N×h×w ≥ 0, of maps N×K×h×w and the score's gradient by them."""
    return (activations * gradients.relu()).sum(1).relu()


class LayerCAM(Method):
    """The layer's maps weighted place by place with their positive gradients; fine-grained at early layers too.

    Jiang, Zhang, Hou, Cheng and Wei, "LayerCAM", IEEE Transactions on Image Processing 30, 2021, equations 5 to 7.
    """

    name: ClassVar[str] = "layer_cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS, Part.ACTIVATION_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return layer_cam(look.parts[Part.ACTIVATIONS], look.parts[Part.ACTIVATION_GRADIENT])
