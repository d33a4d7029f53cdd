"""A decoder that inverts its encoder, without training: every layer by linear least squares."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustlit.augmentations.adain.encoder import Encoder

__all__ = ["invert_encoder"]

_RIDGE = 0.03
_PLACES = 160  # that are looked at in each picture and layer
_PART = 8  # pictures that pass the encoder at a time


@torch.no_grad()
def invert_encoder(
    decoder: nn.Sequential, encoder: Encoder, images: Tensor, *, places: int = _PLACES, ridge: float = _RIDGE
) -> None:
    """Set a decoder's weights so that it undoes its encoder, layer by layer.

    The decoder mirrors the encoder: each of its convolutions stands for a step back, from relu4_1 over the outputs of
    VGG's blocks to the pixels. Its weights are the linear least squares solution, with a ridge against noise, that
    takes what the layers before it make of some pictures to what the encoder had at that step. The outcome is rough: it
    shows layout and colours, where a training from random weights has neither for a thousand steps.

    Args:
        decoder: Of :func:`~robustlit.augmentations.adain.style_decoder`, its widths the encoder's in reverse order; it
            is changed in place.
        encoder: To invert.
        images: Float N×3×H×W in [0, 1], a hundred or more of different contents, sides multiples of 8.
        places: How many places of each picture a layer learns from.
        ridge: What is added to the variances of a layer's inputs, as a share of their mean.

    Raises:
        ValueError: If the widths are not the encoder's.
    """
    convolutions = [layer for layer in decoder if isinstance(layer, nn.Conv2d)]
    wanted = _steps_back(encoder, images)
    for layer, target in zip(convolutions, wanted, strict=True):
        if layer.out_channels != target.shape[1]:
            raise ValueError(
                f"expected a decoder of the encoder's widths, got {layer.out_channels} channels for {target.shape[1]}; "
                f"try model.widths=[{', '.join(map(str, reversed(encoder.widths)))}]"
            )
    states = torch.cat([encoder(part) for part in torch.split(images, _PART)])
    left = iter(wanted)
    for stage in decoder:
        if isinstance(stage, nn.Conv2d):
            _solve(stage, states, next(left), places, ridge)
        states = torch.cat([stage(part) for part in torch.split(states, _PART)])


def _steps_back(encoder: Encoder, images: Tensor) -> list[Tensor]:
    """Return what each of the decoder's nine convolutions is to give: first from relu4_1, last the pixels."""
    parts = [_steps_of(encoder, part) for part in torch.split(images, _PART)]
    return [torch.cat(maps) for maps in zip(*parts, strict=True)]


def _steps_of(encoder: Encoder, images: Tensor) -> list[Tensor]:
    """Return the same of a few images, and keep nothing else of what the encoder made."""
    outputs: list[list[Tensor]] = [[]]  # of each block
    pooled = []
    states = images
    for layer in encoder.layers:
        states = layer(states)
        if isinstance(layer, nn.MaxPool2d):
            pooled.append(states)
            outputs.append([])
        elif isinstance(layer, nn.ReLU):
            outputs[-1].append(states)
    first, second, third, _ = outputs
    middle = third[len(third) // 2]
    return [pooled[2], third[-1], middle, third[0], pooled[1], second[0], pooled[0], first[0], images]


def _solve(layer: nn.Conv2d, states: Tensor, target: Tensor, places: int, ridge: float) -> None:
    """Fit a 3×3 convolution that takes padded maps to target maps."""
    generator = torch.Generator().manual_seed(0)
    size = layer.weight[0].numel()
    square = torch.zeros(size + 1, size + 1, device=states.device)
    product = torch.zeros(size + 1, target.shape[1], device=states.device)
    for part, aims in zip(torch.split(states, _PART), torch.split(target, _PART), strict=True):
        windows, wanted = _windows(part, aims, places, generator)
        square.addmm_(windows.t(), windows)
        product.addmm_(windows.t(), wanted)
    square, product = square.double(), product.double()
    count = square[-1, -1]
    mean, aim_mean = square[-1, :-1] / count, product[-1] / count
    covariance = square[:-1, :-1] - count * torch.outer(mean, mean)
    covariance.diagonal().add_(ridge * covariance.diagonal().mean())
    solution = torch.linalg.solve(covariance, product[:-1] - count * torch.outer(mean, aim_mean)).float()
    layer.weight.copy_(solution.t().reshape(layer.weight.shape))
    layer.bias.copy_((aim_mean - mean @ solution.double()).float())  # type: ignore[union-attr]


def _windows(states: Tensor, target: Tensor, places: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the 3×3 windows of some places of each picture, with a one behind each, and what is wanted there."""
    windows, wanted = [], []
    for one, aim in zip(states, target, strict=True):
        some = torch.randperm(aim.shape[1] * aim.shape[2], generator=generator)[:places].to(states.device)
        windows.append(F.unfold(one[None], 3)[0][:, some].t())
        wanted.append(aim.flatten(1)[:, some].t())
    inputs = torch.cat(windows)
    return torch.cat([inputs, inputs.new_ones(len(inputs), 1)], 1), torch.cat(wanted)
