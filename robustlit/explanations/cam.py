"""CAM: the class's weights of the last linear layer, over the last maps."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.explanations.base import Look, Method, Part

__all__ = ["CAM", "cam"]


def cam(activations: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sum over the channels, signed, N×h×w, of maps N×K×h×w with weights N×K."""
    return torch.einsum("nkhw,nk->nhw", activations, weights)


class CAM(Method):
    """Class activation map of a classifier that averages its last maps and ends in one linear layer: signed.

    Its mean over the map is the class's logit without the bias. Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning
    deep features for discriminative localization", CVPR 2016.

    Raises:
        ValueError: If the network is none of that kind at the layer: its logits are computed again from the maps and
            have to agree. Grad-CAM is the same map, up to scale and negative values, and works for any network.
    """

    name: ClassVar[str] = "cam"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ACTIVATIONS})

    def maps(self, look: Look) -> Tensor:
        """Return the maps; see :class:`Method`."""
        activations, classes = look.parts[Part.ACTIVATIONS], look.goal.classes
        head = _head(look, activations)
        if head is None or classes is None:
            raise ValueError(
                "expected a class target and a network that averages the layer's maps and ends in one linear layer, "
                "got another one; try 'grad_cam'"
            )
        weight = torch.cat((-head, head)) if len(head) == 1 else head
        return cam(activations, weight[classes])


def _head(look: Look, activations: Tensor) -> Tensor | None:
    """Return the weights K×C of the last linear layer if it makes the logits out of the maps' means."""
    module = look.network.module
    kinds = [child for child in module.modules() if isinstance(child, nn.Linear | nn.Conv2d)] if module else []
    shape = (look.logits.shape[1], activations.shape[1])
    fitting = [child for child in kinds if child.weight.shape[:2] == shape and child.weight[0, 0].numel() == 1]
    if not fitting or look.logits.ndim != 2:
        return None
    head = fitting[-1]
    weight = head.weight.detach().flatten(1).to(activations.dtype)
    bias = None if head.bias is None else head.bias.detach().to(activations.dtype)
    again, logits = F.linear(activations.mean((2, 3)), weight, bias), look.logits.to(activations.dtype)
    slack = 1e-3 if look.logits.dtype in (torch.float32, torch.float64) else 5e-2
    return weight if bool((again - logits).abs().max() <= slack * logits.abs().max().clamp(min=1e-6)) else None
