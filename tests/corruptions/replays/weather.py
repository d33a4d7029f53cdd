"""The weather's draws as the published generators make them, from their numpy stream.

Frost draws depend on the sizes of the published photographs, which are read from $ROBUSTLIT_TEST_FROST.
"""

import os

import numpy as np
import torch

from robustlit.corruptions.ops.clipped_zoom import zoomed_part
from robustlit.corruptions.ops.plasma import plasma_draws, plasma_size
from robustlit.corruptions.weather.fog import FogDraws
from robustlit.corruptions.weather.frost import FrostDraws
from robustlit.corruptions.weather.frost_textures import frost_textures
from robustlit.corruptions.weather.snow import SnowDraws
from robustlit.corruptions.weather.spatter import SpatterDraws


def fog(stream, image, level):
    count = plasma_draws(plasma_size(*image.shape[:2]))
    return FogDraws(torch.from_numpy(stream.random_sample(count).astype(np.float32))[None])


def snow(stream, image, level):
    noise = stream.normal(size=image.shape[:2])
    rows, columns = (zoomed_part(length, level[2]) for length in image.shape[:2])
    drawn = torch.from_numpy(noise[rows, columns].astype(np.float32))[None]
    return SnowDraws(drawn, torch.tensor([stream.uniform(-135, -45)]))


def frost(stream, image, level):
    height, width = image.shape[:2]
    textures = frost_textures(os.environ["ROBUSTLIT_TEST_FROST"], level[2], height, width, torch.device("cpu"))
    picture = stream.randint(5)
    top = stream.randint(0, int(textures.heights[picture]) - height)
    left = stream.randint(0, int(textures.widths[picture]) - width)
    return FrostDraws(*(torch.tensor([place]) for place in (picture, top, left)))


def spatter(stream, image, level):
    return SpatterDraws(torch.from_numpy(stream.normal(size=image.shape[:2]).astype(np.float32))[None])


REPLAYS = {"fog": fog, "frost": frost, "snow": snow, "spatter": spatter}
