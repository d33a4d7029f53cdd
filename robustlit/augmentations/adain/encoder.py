"""The part of a VGG network up to relu4_1, which AdaIN sees pictures with."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from robustlit.augmentations.adain.weights import frozen, has_biases, keys_of, read_state, summary_of

__all__ = ["VGG16_CONVOLUTIONS", "VGG19_CONVOLUTIONS", "Encoder", "load_encoder"]

VGG19_CONVOLUTIONS = (2, 2, 4, 1)  # before the first, second and third pooling, and behind it
VGG16_CONVOLUTIONS = (2, 2, 3, 1)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the images that torchvision's weights are for


class _Layout(NamedTuple):
    name: str
    numbers: tuple[int, ...]  # of the convolutions
    convolutions: tuple[int, ...]  # in each block
    normalises: bool  # whether the first convolution is the 1×1 one


_ENCODERS = (
    _Layout("vgg_normalised.pth", (0, 2, 5, 9, 12, 16, 19, 22, 25, 29), VGG19_CONVOLUTIONS, True),
    _Layout("torchvision's VGG-19", (0, 2, 5, 7, 10, 12, 14, 16, 19), VGG19_CONVOLUTIONS, False),
    _Layout("torchvision's VGG-16", (0, 2, 5, 7, 10, 12, 14, 17), VGG16_CONVOLUTIONS, False),
)


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


def load_encoder(path: str | Path) -> Encoder:
    """Read an encoder: the published ``vgg_normalised.pth``, or torchvision's VGG-19 or VGG-16.

    Whole networks and trunks alone (keys with or without ``features.``) are read; layers behind relu4_1 are left out.
    torchvision's weights get the normalisation that they were trained with as the 1×1 convolution.

    Args:
        path: A state dict saved with ``torch.save``; it is loaded with ``weights_only=True``.

    Returns:
        The encoder in evaluation mode, its weights frozen.

    Raises:
        ValueError: If the file cannot be read or is of another layout; the message names the keys that were expected.
    """
    state = read_state(path, "encoder")
    for layout in _ENCODERS:
        if _matches(state, layout):
            return frozen(_encoder(state, layout))
    wanted = "; ".join(f"{layout.name} has {keys_of(layout.numbers)}" for layout in _ENCODERS)
    raise ValueError(
        f"expected encoder weights in {path} ({wanted}), got {summary_of(state)}; try the state dict of one of these"
    )


def _encoder(state: Mapping[str, Tensor], layout: _Layout) -> Encoder:
    first = 1 if layout.normalises else 0
    shapes = [state[f"{number}.weight"].shape for number in layout.numbers[first:]]
    starts = [sum(layout.convolutions[:block]) for block in range(4)]
    encoder = Encoder([shapes[start][0] for start in starts], layout.convolutions)
    encoder.normalise_by(_MEAN, _STD)
    with torch.no_grad():
        for layer, number in zip(encoder.convolutions[1 - first :], layout.numbers, strict=True):
            layer.weight.copy_(state[f"{number}.weight"])
            layer.bias.copy_(state[f"{number}.bias"])  # type: ignore[union-attr]
    return encoder


def _matches(state: Mapping[str, Tensor], layout: _Layout) -> bool:
    """Whether a state dict has the convolutions of a layout, each fed by the one before."""
    channels = 3
    for position, number in enumerate(layout.numbers):
        weight = state.get(f"{number}.weight")
        side = 1 if layout.normalises and position == 0 else 3
        if weight is None or weight.ndim != 4 or tuple(weight.shape[1:]) != (channels, side, side):
            return False
        channels = len(weight)
    return has_biases(state, layout.numbers)
