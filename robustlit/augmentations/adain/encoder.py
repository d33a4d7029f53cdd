"""The part of a VGG network up to relu4_1, which AdaIN sees pictures with."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["VGG16_CONVOLUTIONS", "VGG19_CONVOLUTIONS", "Encoder"]

VGG19_CONVOLUTIONS = (2, 2, 4, 1)  # before the first, second and third pooling, and behind it
VGG16_CONVOLUTIONS = (2, 2, 3, 1)


class Encoder(nn.Module):
    """Pixels to features: a 1×1 convolution that normalises colours, then VGG with reflection padding to relu4_1.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition" (ICLR 2015), padded as
    in Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization" (ICCV 2017). The
    layers are numbered as in the published ``vgg_normalised.pth``; the weights start out random.

    Args:
        widths: Channels of relu1_1, relu2_1, relu3_1 and relu4_1.
        convolutions: Number of 3×3 convolutions in each of the four blocks, at least one; VGG-19's by default.

    Raises:
        ValueError: If there are not four of each.

    Example:
        >>> encoder = Encoder(widths=(4, 8, 8, 16))
        >>> [tuple(features.shape) for features in encoder.stages(torch.rand(1, 3, 32, 48))]
        [(1, 4, 32, 48), (1, 8, 16, 24), (1, 8, 8, 12), (1, 16, 4, 6)]
    """

    def __init__(
        self, widths: Sequence[int] = (64, 128, 256, 512), convolutions: Sequence[int] = VGG19_CONVOLUTIONS
    ) -> None:
        super().__init__()
        if len(widths) != 4 or len(convolutions) != 4 or min(convolutions) < 1:
            raise ValueError(
                f"expected four widths and four numbers of convolutions from 1, got {tuple(widths)} and "
                f"{tuple(convolutions)}; try Encoder()"
            )
        layers: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
        ends = []
        channels = 3
        for block, (width, count) in enumerate(zip(widths, convolutions, strict=True)):
            if block:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for position in range(count):
                layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, width, 3), nn.ReLU()]
                channels = width
                if position == 0:
                    ends.append(len(layers))
        self.layers = nn.Sequential(*layers[: ends[-1]])
        self.ends = tuple(ends)
        self.widths = tuple(widths)

    def forward(self, images: Tensor) -> Tensor:
        """Return relu4_1 of images N×3×H×W in [0, 1], H and W at least 16: N×512×⌈H/8⌉×⌈W/8⌉ in VGG's widths."""
        return cast(Tensor, self.layers(images))

    def stages(self, images: Tensor) -> list[Tensor]:
        """Return relu1_1, relu2_1, relu3_1 and relu4_1 of images N×3×H×W in [0, 1]."""
        found = []
        features = images
        for start, end in pairwise((0, *self.ends)):
            features = self.layers[start:end](features)
            found.append(features)
        return found

    @property
    def convolutions(self) -> list[nn.Conv2d]:
        """The convolutions in their order, the 1×1 first."""
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def normalise_by(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Make the 1×1 convolution subtract channel means and divide by standard deviations, for other weights."""
        scale = 1 / torch.tensor(std)
        with torch.no_grad():
            self.convolutions[0].weight.copy_(torch.diag(scale)[:, :, None, None])
            self.convolutions[0].bias.copy_(-torch.tensor(mean) * scale)  # type: ignore[union-attr]
