"""torchvision's automatic augmentation operations on one image, with the same motion for its class mask."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["MOVING", "OPERATIONS", "run_on_image", "run_on_mask"]

MOVING = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
OPERATIONS = (
    "Identity",
    *MOVING,
    "Brightness",
    "Color",
    "Contrast",
    "Sharpness",
    "Posterize",
    "Solarize",
    "AutoContrast",
    "Equalize",
)


def run_on_image(image: Tensor, name: str, magnitude: float) -> Tensor:
    """Apply one operation of torchvision's RandAugment.

    Args:
        image: uint8 C×H×W, C = 1 or 3.
        name: One of ``OPERATIONS``.
        magnitude: Shear as a slope, translation in pixels, rotation in degrees, posterize in bits, solarize as a share
            of white, the other four as what is added to a factor of 1.

    Returns:
        uint8 C×H×W; black where the image was moved away.
    """
    from torchvision.transforms.v2 import functional as F

    if name in MOVING:
        return _moved(image, name, magnitude, 0)
    runs: dict[str, Callable[[], Tensor]] = {
        "Identity": lambda: image,
        "Brightness": lambda: F.adjust_brightness(image, 1 + magnitude),
        "Color": lambda: F.adjust_saturation(image, 1 + magnitude),
        "Contrast": lambda: F.adjust_contrast(image, 1 + magnitude),
        "Sharpness": lambda: F.adjust_sharpness(image, 1 + magnitude),
        "Posterize": lambda: F.posterize(image, int(magnitude)),
        "Solarize": lambda: F.solarize(image, 255 * magnitude),
        "AutoContrast": lambda: F.autocontrast(image),
        "Equalize": lambda: F.equalize(image),
    }
    return runs[name]()


def run_on_mask(mask: Tensor, name: str, magnitude: float, fill: int) -> Tensor:
    """Move a class mask as ``run_on_image`` moves its image; other operations leave it as it is.

    Args:
        mask: Class numbers, int H×W, below 2²⁴.
        name: One of ``OPERATIONS``.
        magnitude: As for the image.
        fill: Class number where the image was moved away.
    """
    return _moved(mask[None].float(), name, magnitude, fill)[0].to(mask.dtype) if name in MOVING else mask


def _moved(image: Tensor, name: str, magnitude: float, fill: float) -> Tensor:
    from torchvision.transforms.v2 import functional as F

    fills = [float(fill)]
    if name == "Rotate":
        return torch.as_tensor(F.rotate(image, magnitude, fill=fills))
    slope, pixels = math.degrees(math.atan(magnitude)), int(magnitude)
    shear = {"ShearX": [slope, 0.0], "ShearY": [0.0, slope]}.get(name, [0.0, 0.0])
    translate = {"TranslateX": [pixels, 0], "TranslateY": [0, pixels]}.get(name, [0, 0])
    centre = [0.0, 0.0] if name.startswith("Shear") else None
    moved = F.affine(image, angle=0.0, translate=translate, scale=1.0, shear=shear, fill=fills, center=centre)
    return torch.as_tensor(moved)
