"""One front for the style operations, by the name of the method."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from robustlit.augmentations.base import AugmentationOp
from robustlit.augmentations.style import StyleOp, StyleParams
from robustlit.core.names import lookup

__all__ = ["StyleTransfer"]


class StyleTransfer(AugmentationOp[StyleParams]):
    """Style transfer without a network, by the name of the method.

    ====================== ========================================== ========
    method                 what comes from the style image            CPU time
    ====================== ========================================== ========
    ``channel_statistics`` mean and deviation of every channel        0.5 ms
    ``fourier``            amplitudes of low frequencies              1.1 ms
    ``reinhard``           colours: moments in l-alpha-beta           1.2 ms
    ``random_convolution`` nothing: colours and texture are random    1.7 ms
    ``amplitude_phase``    all amplitudes                             2.4 ms
    ====================== ========================================== ========

    The times are of one image of 224×224 pixels on one core, where albumentations' FDA takes 18 ms
    (``scripts/bench/augmentations.py``).

    Args:
        method: One of the above.
        p: Probability that an image is changed.
        options: What the method's class takes besides: ``alpha``, ``region``, ``styles``, ``label_gamma``, ``beta`` …

    Raises:
        ValueError: If there is no such method; the message has the nearest name.

    Example:
        >>> StyleTransfer("fourier", p=1.0, beta=0.05)(torch.rand(2, 3, 16, 16), seed=0).shape
        torch.Size([2, 3, 16, 16])
    """

    def __init__(self, method: str = "fourier", p: float = 0.5, **options: Any) -> None:
        super().__init__(p)
        self.method = method
        self.operation = lookup("style method", method, _methods())(p=p, **options)
        self.resembles = self.operation.resembles
        self.needs_masks = self.operation.needs_masks
        self.needs_partners = self.operation.needs_partners
        self.changes_targets = self.operation.changes_targets

    def sample(self, shape: torch.Size, seeds: Tensor) -> StyleParams:
        """Draw whose style, where and how much for every image of a batch N×C×H×W."""
        self.operation.p = self.p
        return self.operation.sample(shape, seeds)

    def change(self, images: Tensor, params: StyleParams, masks: Tensor | None = None) -> Tensor:
        """Give images drawn styles."""
        return self.operation.change(images, params, masks)

    def change_targets(self, targets: Tensor, params: StyleParams, num_classes: int) -> Tensor:
        """Return soft labels where ``label_gamma`` asks for them."""
        return self.operation.change_targets(targets, params, num_classes)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {"method": self.method, **self.operation.settings(), "p": self.p}

    def extra_repr(self) -> str:
        """Name the settings, for ``print`` and for logs."""
        return f"method={self.method!r}"


@cache
def _methods() -> dict[str, type[StyleOp]]:
    import robustlit.augmentations as exports

    found = (getattr(exports, name) for name in exports.__all__)
    return {item.method: item for item in found if isinstance(item, type) and issubclass(item, StyleOp)}
