"""Networks of AdaIN's shape with a few channels, files of their weights, and folders of pictures."""

import numpy as np
import torch
from PIL import Image
from torch import nn

from robustlit.augmentations.adain import Encoder, style_decoder

WIDTHS = (4, 6, 8, 10)


def tiny_encoder(seed=0):
    torch.manual_seed(seed)
    return Encoder(WIDTHS).eval()


def shrinking_encoder(convolutions=(2, 2, 3, 1)):
    """Each layer hands the colours on, so that only the pooling does anything."""
    encoder = Encoder((3, 3, 3, 3), convolutions).eval()
    with torch.no_grad():
        for layer in encoder.convolutions:
            middle = layer.kernel_size[0] // 2
            layer.weight.zero_()[range(3), range(3), middle, middle] = 1
            layer.bias.zero_()
    return encoder


def tiny_decoder(seed=1):
    torch.manual_seed(seed)
    decoder = style_decoder(WIDTHS[::-1]).eval()
    nn.init.normal_(decoder[28].weight, std=0.1)  # not all grey
    return decoder


def write_pictures(folder, count, size=(40, 56), seed=0):
    """Blocks of random colours, saved without loss."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    for index in range(count):
        blocks = numbers.integers(0, 256, (size[0] // 8, size[1] // 8, 3)).astype(np.uint8)
        Image.fromarray(blocks.repeat(8, 0).repeat(8, 1)).save(folder / f"{index:02}.png")
    return folder
