"""Draw photographs in the styles of pictures: content, style and result, as one JPEG.

    python scripts/style_grid.py DECODER ENCODER OUT.jpg --content PHOTO… --style PICTURE… [--size 160] [--alpha 1.0]

The first row shows the styles, the first column the photographs, every other cell the photograph in the style above it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from robustlit.augmentations.adain import load_decoder, load_encoder
from robustlit.augmentations.adain.network import StyleNetwork

_MARGIN = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("decoder")
    parser.add_argument("encoder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--content", nargs="+", required=True, help="photographs")
    parser.add_argument("--style", nargs="+", required=True, help="pictures")
    parser.add_argument("--size", type=int, default=160, help="side of a cell in pixels, a multiple of 8")
    parser.add_argument("--alpha", type=float, default=1.0, help="share of the style")
    options = parser.parse_args()
    network = StyleNetwork(load_encoder(options.encoder), load_decoder(options.decoder))
    contents = [square(path, options.size) for path in options.content]
    styles = [square(path, options.size) for path in options.style]
    rows = [[torch.ones_like(contents[0]), *styles]]
    rows += [[content, *(restyled(network, content, style, options.alpha) for style in styles)] for content in contents]
    sheet(rows).save(options.out, quality=88, optimize=True)
    print(f"{options.out}: {options.out.stat().st_size / 1e3:.0f} kB")


def square(path, size):
    """The middle square of a picture, float32 3×size×size in [0, 1]."""
    with Image.open(path) as opened:
        fitted = ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1).float() / 255


@torch.no_grad()
def restyled(network, content, style, alpha):
    """The content in the style, float32 3×H×W."""
    statistics = network.statistics(style[None])
    return network.restyled(network.encode(content[None]), statistics, torch.tensor([alpha]))[0]


def sheet(rows):
    """All cells on white."""
    side = rows[0][0].shape[-1] + _MARGIN
    pixels = torch.ones(3, side * len(rows) + _MARGIN, side * len(rows[0]) + _MARGIN)
    for top, row in enumerate(rows):
        for left, cell in enumerate(row):
            y, x = top * side + _MARGIN, left * side + _MARGIN
            pixels[:, y : y + cell.shape[1], x : x + cell.shape[2]] = cell
    return Image.fromarray(pixels.mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy())


if __name__ == "__main__":
    main()
