"""Eigen-CAM."""

from typing import ClassVar

import torch
from torch import Tensor

from robustlit.explanations.base import Look, Method, Part

__all__ = ["EigenCAM", "eigen_cam", "first_component"]


def eigen_cam(activations: Tensor) -> Tensor:
    """Return Eigen-CAM, N×h×w ≥ 0, of maps N×K×h×w."""
    return first_component(activations).relu()


def first_component(activations: Tensor) -> Tensor:
    """Return the maps' projection on their first principal component over the channels, signed, N×h×w.

    The sign, which the decomposition leaves open, is that of more activation. The eigenvectors are taken in float64 of
    the smaller of the two products, places × places or channels × channels.

    Example:
        >>> spot = torch.tensor([[[[0.0, 0.0], [0.0, 4.0]]]])
        >>> first_component(torch.cat((spot, 0 * spot), dim=1))
        tensor([[[-1., -1.],
                 [-1.,  3.]]])
    """
    flat = activations.flatten(2).transpose(1, 2).double()  # N×places×K
    centred = flat - flat.mean(1, keepdim=True)
    if flat.shape[1] <= flat.shape[2]:
        values, vectors = torch.linalg.eigh(centred @ centred.mT)
        projected = vectors[..., -1] * values[..., -1:].clamp(min=0).sqrt()
    else:
        vectors = torch.linalg.eigh(centred.mT @ centred)[1]
        projected = (centred @ vectors[..., -1:])[..., 0]
    along = (projected * centred.sum(2)).sum(1, keepdim=True)
    projected = torch.where(along < 0, -projected, projected)
    return projected.view(len(flat), *activations.shape[2:]).to(activations.dtype)


class EigenCAM(Method):
    """The layer's maps along the direction in which they vary most: where something is, whatever the target.

    The maps are centred first, which the paper does not say and without which a background of constant activation is
    the result. Muhammad and Yeasin, "Eigen-CAM", IJCNN 2020.
    """

    name: ClassVar[str] = "eigen_cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        return eigen_cam(look.parts[Part.ACTIVATIONS])
