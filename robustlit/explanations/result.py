"""What `explain` returns: a dict of maps that knows what it explains."""

from collections.abc import Mapping

import torch
from torch import Tensor

from robustlit.explanations.target import Goal

__all__ = ["Explanations", "check_finite"]


class Explanations(dict[str, Tensor]):
    """Maps N×H×W by method, with what they explain.

    Raw values at image size, not rescaled. Where several layers were asked for, the maps of layers are named
    ``"grad_cam@layer4"``.

    Args:
        maps: N×H×W by name.
        layers: The layers that the maps of layers belong to, in the order asked for.
        goal: What is explained; ``explain(..., target=maps.goal)`` explains the same of other images.
        logits: N×K or N×K×H×W of the images.
    """

    def __init__(self, maps: Mapping[str, Tensor], *, layers: tuple[str, ...], goal: Goal, logits: Tensor) -> None:
        super().__init__(maps)
        self.layers = layers
        self.goal = goal
        self.logits = logits

    @property
    def target(self) -> Tensor | None:
        """The classes explained, int64 of shape N; None where a function scored the logits."""
        return self.goal.classes

    @property
    def layer(self) -> str | None:
        """The layer that the maps of layers belong to, the first of several; None without any."""
        return self.layers[0] if self.layers else None

    @property
    def no_evidence(self) -> dict[str, Tensor]:
        """Which maps are zero everywhere, bool of shape N by method: nothing found that speaks for the target."""
        return {name: (maps == 0).flatten(1).all(1) for name, maps in self.items()}


def check_finite(maps: Mapping[str, Tensor]) -> None:
    """Raise where a map is not finite, with the method and the image.

    Args:
        maps: N×H×W by name.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    broken = torch.stack([(~values.isfinite()).flatten(1).any(1) for values in maps.values()]) if maps else None
    if broken is not None and bool(broken.any()):
        method, image = broken.nonzero()[0].tolist()
        name = list(maps)[method]
        raise ValueError(
            f"expected finite maps, got NaN or infinity in {name!r} of image {image}; "
            "try looking for NaN in the model's weights or the images"
        )
