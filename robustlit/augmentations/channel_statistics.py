"""Style by channel statistics: every channel gets the mean and the standard deviation of another image's."""

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp

__all__ = ["ChannelStatistics", "affine_between", "channel_statistics", "moments"]

_SMALLEST = 1 / 255  # a channel that varies by less than a grey level is not stretched any further


def moments(images: Tensor) -> Tensor:
    """Return mean and standard deviation of every channel: N×C×H×W to N×C×2."""
    mean = images.mean((2, 3))
    square = torch.linalg.vector_norm(images, dim=(2, 3)).square() / (images.shape[2] * images.shape[3])
    return torch.stack((mean, (square - mean.square()).clamp_(min=0).sqrt()), -1)


def affine_between(own: Tensor, style: Tensor) -> Tensor:
    """Return the scale and the shift, N×C×2, that turn moments N×C×2 into others."""
    scale = style[..., 1] / own[..., 1].clamp(min=_SMALLEST)
    return torch.stack((scale, style[..., 0] - own[..., 0] * scale), -1)


def channel_statistics(images: Tensor, scale_and_shift: Tensor) -> Tensor:
    """Scale and shift every channel of images N×C×H×W by N×C×2; the result is not clipped."""
    scale, shift = scale_and_shift[..., None, None].unbind(2)
    return images.mul(scale).add_(shift)


class ChannelStatistics(StyleOp):
    """Mean and standard deviation of each colour channel from another image: the cheapest style, in pixel space.

    It is AdaIN (Huang and Belongie 2017) without a network. One channel is fine: then brightness and contrast change.

    Args:
        p: Probability that an image is changed.
        alpha: How much of the style, in [0, 1], or a range.
        region: Where the style is changed; the whole image unless given.
        styles: Style images S×C×H×W or a folder; by default the other samples of the batch.
        label_gamma: Weight of the own label where labels become soft, see ``StyleOp``.

    Example:
        >>> images = torch.stack((torch.rand(3, 8, 8) / 2, torch.rand(3, 8, 8) / 2 + 0.5))
        >>> styled = ChannelStatistics(p=1.0)(images, seed=0)
        >>> bool((styled[0].mean() - images[1].mean()).abs() < 0.1)
        True
    """

    method = "channel_statistics"
    resembles = ("brightness", "contrast")

    def describe(self, images: Tensor) -> Tensor:
        """Return the moments of images."""
        return moments(images)

    def prepare(self, own: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Return each channel's scale and shift."""
        return affine_between(own, style)

    def restyle(self, images: Tensor, ready: Tensor) -> Tensor:
        """Scale and shift every channel."""
        return channel_statistics(images, ready)
