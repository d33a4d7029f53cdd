"""The weather's draws as the published generators make them, from their numpy stream."""

import numpy as np
import torch

from robustlit.corruptions.ops.clipped_zoom import zoomed_part
from robustlit.corruptions.ops.plasma import plasma_draws, plasma_size
from robustlit.corruptions.weather.fog import FogDraws
from robustlit.corruptions.weather.snow import SnowDraws


def fog(stream, image, level):
    count = plasma_draws(plasma_size(*image.shape[:2]))
    return FogDraws(torch.from_numpy(stream.random_sample(count).astype(np.float32))[None])


def snow(stream, image, level):
    noise = stream.normal(size=image.shape[:2])
    rows, columns = (zoomed_part(length, level[2]) for length in image.shape[:2])
    drawn = torch.from_numpy(noise[rows, columns].astype(np.float32))[None]
    return SnowDraws(drawn, torch.tensor([stream.uniform(-135, -45)]))


REPLAYS = {"fog": fog, "snow": snow}
