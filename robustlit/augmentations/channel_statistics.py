"""Style by channel statistics: every channel gets the mean and the standard deviation of another image's."""

import torch
from torch import Tensor

from robustlit.augmentations.style import StyleOp

__all__ = ["ChannelStatistics", "channel_statistics", "moments"]

_SMALLEST = 1 / 255  # a channel that varies by less than a grey level is not stretched any further


def moments(images: Tensor) -> Tensor:
    """Return mean and standard deviation of every channel: N×C×H×W to N×C×2."""
    mean = images.mean((2, 3))
    square = torch.linalg.vector_norm(images, dim=(2, 3)).square() / (images.shape[2] * images.shape[3])
    return torch.stack((mean, (square - mean.square()).clamp_(min=0).sqrt()), -1)


def channel_statistics(images: Tensor, style: Tensor) -> Tensor:
    """Scale and shift every channel to given moments.

    Args:
        images: Float32 N×C×H×W.
        style: Mean and standard deviation, N×C×2.

    Returns:
        Float32 N×C×H×W, not clipped.
    """
    mean, deviation = moments(images).unbind(-1)
    scale = style[..., 1] / deviation.clamp(min=_SMALLEST)
    shift = style[..., 0] - mean * scale
    return images.mul(scale[..., None, None]).add_(shift[..., None, None])


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

    def describe(self, styles: Tensor) -> Tensor:
        """Return the moments of style images."""
        return moments(styles)

    def restyle(self, images: Tensor, style: Tensor, *detail: Tensor) -> Tensor:
        """Scale and shift every channel."""
        return channel_statistics(images, style)
