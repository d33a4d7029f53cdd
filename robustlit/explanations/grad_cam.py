"""Grad-CAM."""

from typing import ClassVar

from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["GradCAM", "grad_cam"]


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return Grad-CAM, N×h×w ≥ 0, of maps N×K×h×w and the score's gradient by them."""
    weights = gradients.mean((2, 3), keepdim=True)
    return (activations * weights).sum(1).relu()


class GradCAM(Method):
    """The layer's maps weighted by their mean gradients, positive part; for segmentation this is Seg-Grad-CAM.

    Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2; Vinogradova, Dibrov and Myers, "Towards interpretable
    semantic segmentation via gradient-weighted class activation mapping", AAAI 2020, for classes, regions and pixels of
    a segmentation: :class:`ClassTarget`, :class:`RegionTarget` and :class:`PixelTarget`.
    """

    name: ClassVar[str] = "grad_cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS, Part.ACTIVATION_GRADIENT})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return grad_cam(look.parts[Part.ACTIVATIONS], look.parts[Part.ACTIVATION_GRADIENT])
