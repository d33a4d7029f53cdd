"""Facts about ImageNet and the sets that share its classes: names, subsets, correspondences; nothing to download."""

from robustlit.data.imagenet.objectnet import OBJECTNET
from robustlit.data.imagenet.sixteen import SIXTEEN
from robustlit.data.imagenet.subsets import IMAGENET_A, IMAGENET_O, IMAGENET_R
from robustlit.data.imagenet.wnids import WNIDS

__all__ = ["IMAGENET_A", "IMAGENET_O", "IMAGENET_R", "OBJECTNET", "SIXTEEN", "WNIDS"]
