"""What every explanation is: a frozen value that turns what one pass over a model showed into maps."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from torch import Tensor

from robustlit.explanations.network import Network
from robustlit.explanations.target import Goal

__all__ = ["Look", "Method", "Part"]


class Part(Enum):
    """What a method may ask of the one pass that all methods of a call share."""

    IMAGE_GRADIENT = "gradient of the score by the pixels, N×C×H×W"
    GUIDED_GRADIENT = "the same, with the ReLUs' backward of guided backpropagation"
    DECONV_GRADIENT = "the same, with the ReLUs' backward of a deconvnet"
    ACTIVATIONS = "what the layer returned, N×K×h×w"
    ACTIVATION_GRADIENT = "gradient of the score by what the layer returned, N×K×h×w"


@dataclass(frozen=True)
class Look:
    """What one pass showed.

    Args:
        network: The model, for methods that need passes of their own.
        images: N×C×H×W, the pixels.
        logits: N×K or N×K×H×W, without a graph.
        goal: What is explained.
        parts: What the methods asked for; those of a layer belong to one layer.
    """

    network: Network
    images: Tensor
    logits: Tensor
    goal: Goal
    parts: Mapping[Part, Tensor]


@dataclass(frozen=True)
class Method(ABC):
    """Base of the explanations: options are fields, and the arithmetic is a function on tensors in the same file.

    Class attributes: ``name``, under which :func:`robustlit.explanations.explain` finds an exported method, and
    ``needs``, the parts of the shared pass that it reads.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Part]] = frozenset()

    @abstractmethod
    def maps(self, look: Look) -> Tensor:
        """Return one map an image, N×H×W or N×h×w: raw values, larger where the image speaks more for the target."""

    @classmethod
    def of_layer(cls) -> bool:
        """Tell whether the maps belong to a layer."""
        return Part.ACTIVATIONS in cls.needs
