"""A U-Net for semantic segmentation of images of any size."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robustlit.models.layers import check_options, conv_block

__all__ = ["UNet", "unet"]


def unet(
    *,
    in_channels: int = 3,
    num_classes: int,
    width: int = 32,
    depth: int = 4,
    norm: str = "batch",
    dropout: float = 0.0,
    dilations: Sequence[int] = (),
) -> "UNet":
    """Build a U-Net (Ronneberger, Fischer and Brox, MICCAI 2015) that upsamples by nearest neighbour and convolution.

    Args:
        in_channels: Channels C of the images, N×C×H×W.
        num_classes: Number of logits a pixel.
        width: Channels at full size; every level below has twice as many.
        depth: How often the size is halved.
        norm: ``"batch"``, ``"group"`` or ``"none"``.
        dropout: Probability of dropping a channel at the lowest level, in [0, 1).
        dilations: Dilations of more convolutions at the lowest level, one each, for a wider view: ``(2, 4)``.

    Raises:
        ValueError: If a size is below 1, ``dropout`` is not in [0, 1), or there is no such normalisation.

    Example:
        >>> unet(num_classes=11, width=4, depth=3)(torch.rand(1, 3, 45, 61)).shape
        torch.Size([1, 11, 45, 61])
    """
    sizes = {"in_channels": in_channels, "num_classes": num_classes, "width": width, "depth": depth}
    check_options(dropout=dropout, **sizes, dilations=min(dilations, default=1))
    widths = [width * 2**level for level in range(depth + 1)]
    bottom: list[nn.Module] = [_two_blocks(widths[-2], widths[-1], norm)]
    bottom += [conv_block(widths[-1], widths[-1], norm=norm, dilation=dilation) for dilation in dilations]
    return UNet(
        down=[_two_blocks(above, here, norm) for above, here in pairwise([in_channels, *widths[:-1]])],
        bottom=nn.Sequential(*bottom, nn.Dropout2d(dropout)),
        up=[_two_blocks(below + here, here, norm) for here, below in reversed(list(pairwise(widths)))],
        head=nn.Conv2d(width, num_classes, 1),
    )


class UNet(nn.Module):
    """The wiring of a U-Net; :func:`unet` builds the parts.

    Images are padded with zeros to the right and below up to a multiple of 2^depth, and the logits cropped back.

    Args:
        down: One block a level, from full size downwards; each is followed by a halving of the size.
        bottom: The block at the lowest level.
        up: One block a level, upwards; each takes the doubled maps from below and the maps of its level.
        head: From the features at full size to logits.
    """

    def __init__(self, down: Sequence[nn.Module], bottom: nn.Module, up: Sequence[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.down = nn.ModuleList(down)
        self.bottom = bottom
        self.up = nn.ModuleList(up)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Return logits N×K×H×W of images N×C×H×W."""
        height, width = images.shape[-2:]
        step = 2 ** len(self.down)
        maps = F.pad(images, (0, -width % step, 0, -height % step))
        levels: list[Tensor] = []
        for block in self.down:
            levels.append(block(maps))
            maps = F.max_pool2d(levels[-1], 2)
        maps = self.bottom(maps)
        for block, level in zip(self.up, reversed(levels), strict=True):
            maps = block(torch.cat((F.interpolate(maps, scale_factor=2.0, mode="nearest"), level), dim=1))
        logits: Tensor = self.head(maps)
        return logits[..., :height, :width]


def _two_blocks(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    return nn.Sequential(conv_block(inputs, outputs, norm=norm), conv_block(outputs, outputs, norm=norm))
